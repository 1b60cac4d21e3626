// Names and marks of malware that is found in containers and on the machines they run on, and the antivirus test file.
// One letter of each pattern stands in brackets: so it means the same, and this file does not match itself.

rule known_loader {
    meta:
        severity = "malicious"
        description = "a loader of coin miners that attacks containers"
    strings:
        $loader = /\bkdevtmpfs[i]\b/
        $loader_go = /\bkins[i]ng\/(main|src)\b/
        $team = /\b(teamt[n]t\.red|TeamTN[T]\b[^\n]{0,60}(Hildegard|borg|chimaera))/ nocase
        $watcher = /\bwatchb[o]g\b[^\n]{0,60}\b(pastebin|crontab)/
        $gang = /8220 ?Gan[g]|oracleservic[e]\.top|bashgo\.pw\/xm[s]/
        $module = /pam_unix_n[e]w\.so/
    condition:
        any of them
}

rule known_bot {
    meta:
        severity = "malicious"
        description = "a bot of a network that floods others"
    strings:
        $bot_m = /\/bin\/busyb[o]x (MIRAI|ECCHI|SORA|OWARI|SATORI|JOSHO|HILIX)\b/
        $bot_t = /NOTICE %s :TSUN[A]MI <target> <secs>/
        $bot_k = /NOTICE %s :Kait[e]n wa goraku/
        $bot_x = /BB2FA36AAA9541F[0]/
        $bot_g = /HOLD Flooding %s:%[d] for %d seconds|JUNK Flooding %s:%[d] for %d seconds/
    condition:
        any of them
}

rule known_rootkit {
    meta:
        severity = "malicious"
        description = "a rootkit, which hides files and processes"
    strings:
        $hider_p = /libproc[e]sshider/
        $filter = /proc[e]ss_to_filter/
        $readdir = "readdir64"
        $hider_d = /\bdiam[o]rphine_(init|cleanup)\b|\bhack[e]d_getdents(64)?\b/
        $hider_r = /\bkh[o]ok_(init|cleanup|lookup)\b[^\x01]{0,4000}\brept[i]le\b|\brept[i]le_(cmd|shell|module)\b/
        $hider_a = /\baz[a]zel_(init|rl|hide)|\bAZ[A]ZEL_/
        $hider_j = /\bjyn[x]2?\b[^\n\x00]{0,20}\.so\b/
        $hider_v = /\bvl[a]ny\b[^\n\x00]{0,40}(install|backdoor|ld\.so\.preload)/
        $hider_b = /\bb[d]vl(_|\.so)|BDVL_[A-Z]{3}/
        $preloader = />>?\s{0,3}\/etc\/ld\.so\.prel[o]ad[^\n]{0,10}\n?[^\n]{0,80}\b(chattr|touch -r)\b/
    condition:
        $hider_p or ($filter and $readdir) or $hider_d or $hider_r or $hider_a or $hider_j or $hider_v or $hider_b or $preloader
}

rule antivirus_test_file {
    meta:
        severity = "malicious"
        description = "the test file that antivirus programs are tried out with"
    strings:
        $test = /X5O!P%@AP\[4\\PZX54\(P\^\)7CC\)7\}\$EIC[A]R-STANDARD-ANTIVIRUS-TEST-FILE!\$H\+H\*/
    condition:
        any of them
}

rule pickle_that_runs_code {
    meta:
        severity = "malicious"
        description = "a pickle inside other data that runs code when it is loaded"
    strings:
        $lines = /c(os|posix|nt|subprocess|builtins|__builtin__|pty|importlib|runpy|commands|webbrowser)\n(syst[e]m|pop[e]n|ex[e]cv?p?e?|ev[a]l|comp[i]le|sp[a]wnv?p?e?|P[o]pen|c[a]ll|r[u]n|check_[o]utput|check_c[a]ll|get[o]utput|__imp[o]rt__|import_m[o]dule|run_p[a]th|run_m[o]dule|op[e]n)\n(\(|p[0-9]|[qr\x94\x8cXUSVNK\]}])/
        $short = /\x8c[\x02-\x0b](os|posix|nt|subprocess|builtins|__builtin__|pty|importlib|runpy|commands|webbrowser)(\x94|q.)?\x8c[\x03-\x0d](syst[e]m|pop[e]n|ex[e]cv?p?e?|ev[a]l|comp[i]le|sp[a]wnv?p?e?|P[o]pen|c[a]ll|r[u]n|check_[o]utput|check_c[a]ll|get[o]utput|__imp[o]rt__|import_m[o]dule|run_p[a]th|run_m[o]dule|op[e]n)(\x94|q.)?\x93/s
    condition:
        any of them
}
