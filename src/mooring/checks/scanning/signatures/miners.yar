// Programs that mine coins, their settings, and the protocols they speak with their pools.
// One letter of each pattern stands in brackets: so it means the same, and this file does not match itself.

rule miner_settings {
    meta:
        severity = "malicious"
        description = "settings of the XMRig coin miner"
    strings:
        $donate = /["']?donate-l[e]vel["']?\s{0,4}[:=]/
        $donate_over = /donate-over-pr[o]xy/
        $pools = /["']p[o]ols["']\s{0,4}:/
        $algorithm = /\b(rand[o]mx|crypt[o]night|rx\/[0]|cn\/[r0-9]|arg[o]n2\/)/ nocase
    condition:
        ($donate and ($pools or $algorithm)) or ($donate_over and ($pools or $algorithm))
}

rule miner_command {
    meta:
        severity = "malicious"
        description = "a command that starts a coin miner"
    strings:
        $donate = /--donate-l[e]vel[ =][0-9]/
        $named = /\b(xmri[g]|xmr-st[a]k|minerd|cpum[i]ner|ethm[i]ner|lolM[i]ner|nbm[i]ner|phoenixm[i]ner|t-r[e]x|srbm[i]ner|claym[o]re)(-[a-z0-9]{1,12})?(\.exe)?\s[^\n]{0,200}(stratum\+|-o\s|--url|--pool|-P\s|-u\s)[^\n]{3,}/ nocase
        $coin = /--c[o]in[ =](monero|xmr|wownero|etc|rvn)\b/ nocase
    condition:
        $donate or ($named and $coin) or $named
}

rule miner_program {
    meta:
        severity = "malicious"
        description = "the XMRig coin miner or one built from it"
    strings:
        $donate = /donate\.(v2|ssl)\.xmri[g]\.com/
        $usage = /Usage: xmri[g] \[OPTIONS\]/
        $agent = /XMRi[g]\/[0-9]/
        $config = /\.xmri[g]\.json/
        $pause = /pause-on-batt[e]ry/
        $randomx = /randomx_create_v[m]/
        $rigid = /rig-i[d]/
    condition:
        $donate or $usage or ($agent and any of ($config, $pause, $randomx)) or ($randomx and $pause and $rigid)
}

rule pool_protocol {
    meta:
        severity = "malicious"
        description = "speaks the protocol of mining pools"
    strings:
        $subscribe = /mining\.subscr[i]be/
        $authorise = /mining\.auth[o]rize/
        $submit = /mining\.subm[i]t/
        $eth = /eth_submitL[o]gin/
        $eth_work = /eth_subm[i]tWork/
    condition:
        ($subscribe and any of ($authorise, $submit)) or ($eth and $eth_work)
}

rule pool_address {
    meta:
        severity = "suspicious"
        description = "the address of a mining pool"
    strings:
        $url = /stratum[+](tcp|ssl|tls|udp|tcps):\/\/[\w.-]{4,100}/
        $host = /\b(pool\.minexm[r]\.com|pool\.supportxm[r]\.com|xmr-[a-z0-9]{1,8}\.nan[o]pool\.org|gulf\.moneroo[c]ean\.stream|pool\.hashv[a]ult\.pro|auto\.c3p[o]ol\.org|mine\.c3p[o]ol\.com|rx\.unmin[e]able\.com|[a-z]{2,6}\.herom[i]ners\.com|xmrp[o]ol\.eu):[0-9]{2,5}/
    condition:
        any of them
}

rule browser_miner {
    meta:
        severity = "malicious"
        description = "a coin miner that runs in visitors' browsers"
    strings:
        $hive = /CoinHiv[e]\.(Anonymous|User|Token)\s{0,3}\(/
        $imp = /Client\.Anonymous\(['"][0-9a-f]{64}['"][^\n]{0,60}throttl[e]/
        $script = /(coinhiv[e]|cryptol[o]ot|webmin[e]pool|deepMin[e]r|coinimp)\.(min\.)?js/ nocase
    condition:
        any of them
}
