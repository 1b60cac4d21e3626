// Shells that call home, in the languages they come in, and machine code that does the same.
// One letter of each pattern stands in brackets: so it means the same, and this file does not match itself.

rule bash_reverse_shell {
    meta:
        severity = "malicious"
        description = "a shell connected to an address by bash's /dev/tcp"
    strings:
        $interactive = /\b(ba|z|da|k|a)?sh\s{1,4}-[il]{1,2}\s{0,4}[0-9<>&| ]{1,12}\s{0,4}\/dev\/(t[c]p|u[d]p)\//
        $descriptors = /exec\s{1,4}[0-9]{1,3}<>\s?\/dev\/(t[c]p|u[d]p)\/[^\n]{3,120}[;\n][^\n]{0,120}\b(ba|z|da)?sh\b\s{0,3}(-i\s{0,3})?(<&|[0-9]?>&)\s?[0-9]/
        $loop = /\/dev\/(t[c]p|u[d]p)\/[^\n]{3,120}[;\n][^\n]{0,60}while read \w{1,12}; do \$\w{1,12}\b[^\n]{0,20}2?>&/
    condition:
        any of them
}

rule netcat_reverse_shell {
    meta:
        severity = "malicious"
        description = "a shell behind netcat"
    strings:
        $execute = /\b(nc|ncat|netcat|nc\.traditional)\b[^\n|;]{0,80}\s-[a-z]{0,5}[ec]\s{1,4}["']?(\/usr)?(\/bin\/)(ba|z|da|a|k)?s[h]\b/
        $pipe = /mkfif[o]\s[^\n]{1,100}\|\s{0,3}(\/usr)?(\/bin\/)?(ba|z|da|a)?sh\s{1,3}-i\s{0,3}2>&1\s{0,3}\|\s{0,3}(nc|ncat|netcat|telnet|openssl|socat)\b/
        $openssl = /\b(ba|z|da|a)?sh\s{1,3}-i\s[^\n]{0,60}\|\s{0,3}openssl\s{1,3}s_cli[e]nt\b/
        $telnet = /telnet\s[^\n|]{3,60}\|\s{0,3}(\/bin\/)?(ba)?sh\s{0,3}\|\s{0,3}teln[e]t\s/
    condition:
        any of them
}

rule socat_reverse_shell {
    meta:
        severity = "malicious"
        description = "a shell behind socat"
    strings:
        $out = /\bsoc[a]t\b[^\n]{0,100}\b(tcp|tcp4|tcp6|openssl|udp)(-connect|-listen)?:[^\n]{3,100}\bexec:["']?(\/usr)?(\/bin\/)?(ba|z|da|a)?sh\b/ nocase
        $in = /\bsoc[a]t\b[^\n]{0,100}\bexec:["']?(\/usr)?(\/bin\/)?(ba|z|da|a)?sh\b[^\n]{0,100}\b(tcp|tcp4|tcp6|openssl|udp)(-connect|-listen)?:/ nocase
    condition:
        any of them
}

rule python_reverse_shell {
    meta:
        severity = "malicious"
        description = "Python that gives a shell to a connection"
    strings:
        $duplicate = /\bdu[p]2\(\s{0,3}[\w.]{1,30}\.fileno\(\)\s{0,3},\s{0,3}[012]\s{0,3}\)/
        $connect = /\.conn[e]ct\(\s{0,3}\(\s{0,3}[^\n]{3,100},\s{0,3}[^\n]{1,40}\)\s{0,3}\)/
        $shell = /\b(subproc[e]ss\.\w{3,12}|pty\.sp[a]wn|os\.ex[e]c\w{1,3}|os\.syst[e]m|os\.pop[e]n)\(\s{0,3}\[?\s{0,3}["'](\/usr)?(\/bin\/)?(ba|z|da|a)?sh\b/
    condition:
        all of them
}

rule script_reverse_shell {
    meta:
        severity = "malicious"
        description = "a script that gives a shell to a connection"
    strings:
        $perl = /use S[o]cket;[^\n]{0,400}\bex[e]c\s{0,3}[({]?\s{0,3}["']\/bin\/(ba)?sh -i/
        $perl_io = /new IO::S[o]cket::INET\(PeerAddr,[^\n]{0,150}\bsyst[e]m\s?\$_/
        $php = /\bfsock[o]pen\s?\([^\n]{3,100}\)[^\n]{0,100}\b(exec|shell_exec|system|passthru|popen|proc_open)\s?\(\s{0,3}["'`](\/bin\/)?(ba)?sh -i/
        $ruby = /\bTCPS[o]cket\.(open|new)\s?\([^\n]{3,200}\b(exec|system|popen|spawn)\b[^\n]{0,60}\/bin\/(ba)?sh/
        $lua = /s[o]cket\.tcp\(\)[^\n]{0,200}\bos\.ex[e]cute\s?\([^\n]{0,40}\/bin\/(ba)?sh/
        $node = /\bnet\.S[o]cket\(\)[^\x00]{0,300}\b(sh|cp)\.std(out|err|in)\b[^\x00]{0,60}\.pipe\(/
        $awk = /\/inet\/t[c]p\/0\/[^\n]{3,100}\bgetl[i]ne\b[^\n]{0,200}\|&/
        $powershell = /New-Object (System\.)?Net\.Sockets\.TCPCli[e]nt\([^\n]{3,400}\b(iex|Invoke-Expr[e]ssion)\b/ nocase
    condition:
        any of them
}

rule machine_code_shell {
    meta:
        severity = "malicious"
        description = "machine code that opens a connection and gives it a shell"
    strings:
        $x86_shell = { 31 DB F7 E3 53 43 53 6A 02 89 E1 B0 66 CD 80 }
        $x86_stager = { 31 DB F7 E3 53 43 53 6A 02 B0 66 89 E1 CD 80 97 5B 68 }
        $x64_shell = { 6A 29 58 99 6A 02 5F 6A 01 5E 0F 05 48 97 48 B9 02 00 }
        $x64_stager = { 6A 09 58 99 B6 10 48 89 D6 4D 31 C9 6A 22 41 5A }
        $x64_bind = { 6A 29 58 99 6A 02 5F 6A 01 5E 0F 05 48 97 52 C7 04 24 02 00 }
    condition:
        any of them
}

rule remote_control {
    meta:
        severity = "malicious"
        description = "an agent by which others control a machine"
    strings:
        $meterpreter_files = /stdap[i]_fs_(ls|stat|getwd|chdir)/
        $meterpreter_loads = /core_loadl[i]b/
        $meterpreter_process = /stdap[i]_sys_process_(execute|attach)/
        $sliver = /github\.com\/bishopf[o]x\/sliver\/(implant|protobuf)/ nocase
        $merlin = /github\.com\/Ne0nd0[g]\/merlin/
        $pupy = /network\.lib\.(transports|launchers)\.[^\x00]{0,200}\bpup[y]importer/
    condition:
        ($meterpreter_files and ($meterpreter_loads or $meterpreter_process)) or $sliver or $merlin or $pupy
}
