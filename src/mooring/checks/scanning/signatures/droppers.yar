// What fetches or unpacks code and runs it at once. Installers of honest programs do that too, so only some of it is malicious
// by itself, and only scripts, schedules and start files are asked (`only`).
// One letter of each pattern stands in brackets: so it means the same, and this file does not match itself.

rule fetch_and_run {
    meta:
        severity = "suspicious"
        only = "scripts"
        description = "fetches a script and runs it at once"
    strings:
        $pipe = /\b(c[u]rl|wg[e]t)\s[^\n|;#`]{3,300}\|\s{0,3}(sudo\s{1,3}(-\w{1,3}\s{1,3})?)?(\/usr)?(\/bin\/)?(ba|da|z|a)?sh\b/
        $substitute = /\b(ba|da|z|a)?sh\s{1,3}(-c\s{1,3}["']?\$\(|<\s{0,2}<\()\s{0,3}(c[u]rl|wg[e]t)\s/
        $python = /\b(c[u]rl|wg[e]t)\s[^\n|;#`]{3,300}\|\s{0,3}(sudo\s{1,3})?(python[0-9.]{0,4}|perl|ruby|php)\b/
    condition:
        any of them
}

rule hidden_command {
    meta:
        severity = "suspicious"
        only = "scripts"
        description = "decodes a command and runs it at once"
    strings:
        $pipe = /\bbas[e]64\s{1,3}(-d|-D|--decode|-di)\b[^\n|;]{0,80}\|\s{0,3}(sudo\s{1,3})?(\/usr)?(\/bin\/)?(ba|da|z|a)?sh\b/
        $eval = /\bev[a]l\s{1,3}["']?\$\([^\n)]{1,300}\|\s{0,3}bas[e]64\s{1,3}(-d|--decode)/
        $hex = /\b(xx[d]\s{1,3}-r\s{1,3}-p|xx[d]\s{1,3}-p\s{1,3}-r)[^\n|;]{0,80}\|\s{0,3}(ba|da|z|a)?sh\b/
    condition:
        any of them
}

rule hidden_python {
    meta:
        severity = "suspicious"
        description = "Python that decodes code and runs it at once"
    strings:
        $base64 = /\bex[e]c\(\s{0,3}(\w{1,20}\(\s{0,3}){0,3}(__imp[o]rt__\(["']base64["']\)|base64)\.b(64|32|85)dec[o]de\(/
        $zlib = /\bex[e]c\(\s{0,3}(\w{1,20}\(\s{0,3}){0,3}(__imp[o]rt__\(["']zlib["']\)|zlib)\.dec[o]mpress\(/
        $marshal = /\bex[e]c\(\s{0,3}(__imp[o]rt__\(["']marshal["']\)|marshal)\.lo[a]ds\(\s{0,3}(zlib|base64|__imp[o]rt__)/
    condition:
        any of them
}

rule powershell_hidden {
    meta:
        severity = "malicious"
        description = "PowerShell started with an encoded command"
    strings:
        $encoded = /\bpowersh[e]ll(\.exe)?\s[^\n]{0,120}\s?-e(nc|ncodedcommand)?\s{1,3}["']?[A-Za-z0-9+\/]{80,}/ nocase
    condition:
        any of them
}

rule powershell_fetch {
    meta:
        severity = "suspicious"
        only = "scripts"
        description = "PowerShell that fetches a script and runs it at once"
    strings:
        $fetch = /\b(iex|invoke-expressi[o]n)\b[\s(]{1,4}\(?new-object\s{1,3}(system\.)?net\.webcli[e]nt\)?\.downl[o]adstring/ nocase
    condition:
        any of them
}

rule schedules_itself {
    meta:
        severity = "malicious"
        description = "puts a command that fetches and runs a script into the schedule of the machine"
    strings:
        $crontab = /\b(c[u]rl|wg[e]t)\s[^\n]{3,300}\|\s{0,3}(\/bin\/)?(ba)?sh\b[^\n]{0,80}(>>?\s{0,3}\/(var\/spool|etc)\/cr[o]n|\|\s{0,3}cr[o]ntab\b)/
        $listed = /cr[o]ntab -l[^\n]{0,80};\s{0,3}echo\s[^\n]{1,120}\b(c[u]rl|wg[e]t)\s[^\n]{1,300}\|\s{0,3}(\/bin\/)?(ba)?sh\b/
    condition:
        any of them
}
