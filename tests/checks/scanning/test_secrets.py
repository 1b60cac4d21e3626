"""Secrets are found where people leave them, placeholders and samples are not, and none is ever printed."""

import base64
import random
import string

import pytest

from mooring.checks.scanning import secret_setting

RANDOM = random.Random(7)  # noqa: S311 - nobody is to be deceived


def made(length, letters=string.ascii_letters + string.digits):
    return "".join(RANDOM.choice(letters) for _ in range(length))


BODY = base64.b64encode(RANDOM.randbytes(600)).decode()
PEM = f"-----BEGIN {'RSA PRIVATE'} KEY-----\n" + "\n".join(BODY[at : at + 64] for at in range(0, 600, 64)) + "\n"
LOGIN = base64.b64encode(f"me:{made(20)}".encode()).decode()

FILES = {
    "private-key": ("/home/app/server.key", PEM),
    "private key in one line": ("/home/app/settings.json", '{"key": "' + PEM.replace("\n", "\\n") + '"}'),
    "host key": ("/etc/ssh/ssh_host_rsa_key", PEM.replace("RSA", "OPENSSH")),
    "aws": ("/home/app/s3.py", f"id = 'AKIA{made(16, 'ABCDEFGHIJ234567')}'\nsecret = '{made(40)}'\n"),
    "huawei": ("/home/app/obs.ini", f"ak = {made(20, string.ascii_uppercase)}\nsk = {made(40)}\n"),
    "github": ("/home/me/.config/gh/hosts.yml", "oauth_token: ghp" + f"_{made(36)}\n"),
    "hugging face": ("/home/me/.cache/huggingface/token", "hf" + f"_{made(34, string.ascii_letters)}"),
    "openai": ("/srv/app/main.py", f"key = 'sk{'-proj-'}{made(30)}T3Blbk{'FJ'}{made(30)}'"),
    "netrc": ("/home/me/.netrc", f"machine example.org login me password {made(12)}\n"),
    "docker": ("/home/me/.docker/config.json", f'{{"auths": {{"r.example.org": {{"auth": "{LOGIN}"}}}}}}'),
    "pypirc": ("/home/ma-user/.pypirc", f"[pypi]\nusername = me\npassword = {made(16)}\n"),
    "pip": ("/etc/pip.conf", f"[global]\nindex-url = https://me:{made(12)}@pypi.example.org/simple\n"),
    "git": ("/home/me/.git-credentials", f"https://me:{made(20)}@git.example.org\n"),
    "env": ("/home/app/.env", f"DEBUG=1\nDB_PASSWORD={made(14)}\n"),
    "kube": ("/home/me/.kube/config", f"users:\n- user:\n    token: {made(60)}\n"),
    "npm": ("/home/me/.npmrc", f"//registry.example.org/:_authToken={made(36)}\n"),
    "in an application under /usr": ("/usr/src/app/.env", f"API_TOKEN={made(24)}\n"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_secret_is_found_and_not_printed(look, name):
    path, text = FILES[name]
    found = look(text.encode(), path)
    assert {each.scanner for each in found} == {"secret"}
    for each in found:
        assert not any(word in each.detail for word in text.split() if len(word) > 11)


HARMLESS = {
    "a public key": ("/home/app/key.pem", PEM.replace("PRIVATE", "PUBLIC")),
    "a mention": ("/home/app/a.py", "if line.startswith('-----BEGIN RSA PRIVATE" + " KEY-----'): pass\n"),
    "a sample of a package": ("/usr/lib/python3/dist-packages/x/tests/key.pem", PEM),
    "a sample in site-packages": ("/opt/venv/lib/python3.11/site-packages/x/key.pem", PEM),
    "documents": ("/home/app/README.md", PEM),
    "a variable": ("/home/app/.env", "DB_PASSWORD=${DB_PASSWORD}\nAPI_TOKEN=changeme\nTOKEN=your-token-here\n"),
    "plain settings": ("/home/app/.env", "DEBUG=true\nMAX_TOKENS=4096\nTOKENIZERS_PARALLELISM=false\nLOG=info\n"),
    "an index without a login": ("/etc/pip.conf", "[global]\nindex-url = https://pypi.example.org/simple\n"),
    "an address with a variable": ("/home/app/a.sh", 'curl "https://$USER:$PASS@example.org/"\n'),
    "docker without logins": ("/home/me/.docker/config.json", '{"credsStore": "pass"}'),
    "hashes": ("/home/app/lock.txt", f"x==1 --hash=sha256:{made(64, 'abcdef0123')}\n"),
    "an email": ("/home/app/a.py", "author = 'http://example.org: someone@example.org'\n"),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_no_secret_is_left_alone(look, name):
    path, text = HARMLESS[name]
    assert look(text.encode(), path) == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GPG_KEY", made(40, "ABCDEF0123")),
        ("DB_PASSWORD_FILE", "/run/secrets/db"),
        ("TOKENIZERS_PARALLELISM", "false"),
        ("MAX_TOKENS", "4096"),
        ("SECRET_KEY", "change-me"),
        ("API_TOKEN", "${API_TOKEN}"),
        ("PASSWORD", ""),
        ("PYTHON_SHA256", made(64, "abcdef0123")),
        ("SSH_AUTH_SOCK", "/run/agent"),
        ("http_proxy", "http://proxy.example.org:3128"),
    ],
)
def test_ordinary_variables_hold_no_secret(name, value):
    assert secret_setting(name, value) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", made(12)),
        ("PGPASSWORD", made(12)),
        ("HF_TOKEN", made(30)),
        ("AWS_SECRET_ACCESS_KEY", made(40)),
        ("OBS_SK", made(40)),
        ("OPENAI_API_KEY", made(40)),
        ("http_proxy", f"http://me:{made(9)}@proxy.example.org:3128"),
        ("ANYTHING", "ghp" + f"_{made(36)}"),
    ],
)
def test_variables_that_hold_secrets_are_told(name, value):
    assert secret_setting(name, value)


def test_texts_that_are_made_to_keep_a_pattern_busy_do_not(look):
    for path in ("/home/me/.kube/config", "/home/me/.env", "/home/me/.pypirc", "/home/x"):
        assert look(b"-----BEGIN " + b"PRIVATE KEY-----" + b"\n" * 250_000, path) == ()
