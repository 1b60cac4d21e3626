// Pages that run what a visitor sends.
// One letter of each pattern stands in brackets: so it means the same, and this file does not match itself.

rule php_web_shell {
    meta:
        severity = "malicious"
        description = "a PHP page that runs what a visitor sends"
    strings:
        $direct = /\b(ev[a]l|ass[e]rt|syst[e]m|ex[e]c|shell_ex[e]c|passthr[u]|pop[e]n|proc_op[e]n)\s{0,3}\(\s{0,3}(@?\w{3,20}\s{0,3}\(\s{0,3}){0,4}@?\$_(GET|POST|REQUEST|COOKIE|FILES)\s{0,3}\[/ nocase
        $backticks = /`[^`\n]{0,60}\$_(G[E]T|P[O]ST|REQU[E]ST)\[[^`\n]{1,60}`/
        $names = /\b(c99sh[e]ll|r57sh[e]ll|b374[k] |FilesM[a]n|weev[e]ly_)/
        $tag = "<?php" nocase
    condition:
        $direct or (($backticks or $names) and $tag)
}

rule php_packed {
    meta:
        severity = "suspicious"
        description = "PHP code that unpacks itself and runs the result"
    strings:
        $packed = /\b(ev[a]l|ass[e]rt)\s{0,3}\(\s{0,3}@?(gzinfl[a]te|gzuncompr[e]ss|gzdec[o]de|str_r[o]t13|base64_dec[o]de)\s{0,3}\(/ nocase
        $tag = "<?php" nocase
    condition:
        all of them
}

rule jsp_web_shell {
    meta:
        severity = "malicious"
        description = "a JSP page that runs what a visitor sends"
    strings:
        $run = /getRuntim[e]\(\)\s{0,3}\.exec\(\s{0,3}(new String\[\]\s{0,3}\{[^}\n]{0,60})?\s{0,3}request\.getParam[e]ter\(/
        $builder = /new ProcessBuild[e]r\([^;\n]{0,80}request\.getParam[e]ter\(/
        $load = /\.def[i]neClass\(/
        $key = /e45e329feb5d925[b]/
        $cipher = /Ciph[e]r\.getInstance\(["']AES/
        $equals = /\.equ[a]ls\(pageContext\)/
    condition:
        $run or $builder or ($load and $cipher and ($key or $equals))
}

rule asp_web_shell {
    meta:
        severity = "malicious"
        description = "an ASP page that runs what a visitor sends"
    strings:
        $net = /\bev[a]l\s{0,3}\(\s{0,3}Request(\.Item|\.Form|\.QueryString)?\s{0,2}[\[(]\s{0,2}["']\w{1,30}["']\s{0,2}[\])]\s{0,3},\s{0,3}["']unsafe["']/ nocase
        $classic = /<%\s{0,3}(ev[a]l|ex[e]cute)\s{0,3}\(?\s{0,3}request\s{0,2}\(/ nocase
    condition:
        any of them
}

rule python_web_shell {
    meta:
        severity = "malicious"
        description = "a Python server that gives what a visitor sends to a shell"
    strings:
        $shell = /\b(os\.syst[e]m|os\.pop[e]n|subproc[e]ss\.(call|run|Popen|check_output|check_call|getoutput|getstatusoutput))\(\s{0,3}(flask\.)?request\.(args|form|values|GET|POST|json|data|query_params|get_json|cookies|headers)\b/
    condition:
        any of them
}

rule python_runs_requests {
    meta:
        severity = "suspicious"
        description = "Python that evaluates what a request holds"
    strings:
        $evaluate = /\b(ev[a]l|ex[e]c)\(\s{0,3}(flask\.)?request\.(args|form|values|GET|POST|json|data|query_params|get_json|cookies|headers)\b/
    condition:
        any of them
}

rule node_web_shell {
    meta:
        severity = "malicious"
        description = "a Node server that gives what a visitor sends to a shell"
    strings:
        $shell = /\b(child_process["']\)|cp|child_process)\.(exec|execSync|spawn|spawnSync)\(\s{0,3}req\.(qu[e]ry|b[o]dy|par[a]ms)\b/
    condition:
        any of them
}
