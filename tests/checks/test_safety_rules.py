"""What the rules about safety and secrets say of whole images: which file, which layer, which step, and how often."""

import pytest

from mooring.checks import Evidence, Kind, Status, Wish, rule_named
from mooring.checks.run import judged
from mooring.checks.scanning import Antivirus, Scanner
from mooring.contract import Level, edition
from mooring.image import File, ImageConfig, MemoryImage

HARM = b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R."
ODD = b"\x80\x02cshop.features\nPrices\n)R."
KEY = b"-----BEGIN " + b"PRIVATE KEY-----\n" + b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ" * 3 + b"\n"
PASSWORD = "Correct" + "Horse9"


@pytest.fixture
def judge():
    """The result of a rule for an image, its files scanned as in a real check."""

    def judge(name, image, *, antivirus=None, **options):
        files = image.read(Scanner(**options))
        evidence = {
            "edition": edition(),
            "image": image,
            "image_config": image.config,
            "files": files,
            "detections": files.notes,
            "steps": tuple(layer.created_by for layer in files.layers),
        }
        if antivirus:
            evidence["antivirus"] = antivirus
        suppliers = {key: (lambda value=value: value) for key, value in evidence.items()}
        return judged(rule_named(name), Evidence(suppliers), Wish(kind=Kind.BOTH))

    return judge


def image(*layers, history=(), **config):
    return MemoryImage(layers=layers, config=ImageConfig(history=history, **config))


def test_a_malicious_pickle_is_told_with_its_file_layer_and_step(judge):
    subject = image(
        {"/etc/hostname": "x"}, {"/home/model/weights": HARM}, history=("FROM debian", "COPY model /home/model")
    )
    (finding,) = judge("IMG-SAFE-01", subject).findings
    assert finding.level is Level.MUST
    assert finding.source == "/home/model/weights"
    for said in ("/home/model/weights", "posix.system", "layer 1", "COPY model /home/model"):
        assert said in finding.message


def test_deleting_a_file_in_a_later_layer_does_not_take_it_out(judge):
    subject = image(
        {"/home/id_rsa": KEY, "/home/x": HARM}, {"/home/.wh.id_rsa": "", "/home/.wh.x": ""}, history=("COPY", "RUN rm")
    )
    for rule in ("IMG-SAFE-01", "IMG-SECRET-02"):
        (finding,) = judge(rule, subject).findings
        assert "a later layer hides it" in finding.message


def test_many_findings_are_counted_and_the_first_are_told(judge):
    subject = image({f"/home/{number:03}.pkl": HARM for number in range(50)})
    findings = judge("IMG-SAFE-01", subject).findings
    assert len(findings) == 21
    assert sum("and 30 more" in finding.message for finding in findings) == 1


def test_an_unknown_import_is_a_warning_until_the_project_vouches_for_it(judge):
    subject = image({"/home/model.pkl": ODD})
    (finding,) = judge("IMG-SAFE-02", subject).findings
    assert finding.level is Level.SHOULD
    assert "shop.features.Prices" in finding.message
    assert judge("IMG-SAFE-02", subject, allowed=["shop.*"]).status is Status.PASSED


def test_half_a_pickle_is_told_and_an_archive_that_was_not_seen_through_only_remarked(judge):
    half = b"\x80\x04" + b"K\x01" * 40
    assert judge("IMG-SAFE-03", image({"/home/m.pkl": half})).status is Status.FAILED
    locked = b"PK\x03\x04\x14\x00\x01\x00\x00\x00" + bytes(16) + b"\x05\x00\x00\x00a.txt" + b"x" * 40
    result = judge("IMG-SAFE-03", image({"/home/m.zip": locked}))
    assert result.status is Status.PASSED
    assert "encrypted" in result.findings[0].message


def test_a_clamd_that_fell_silent_leaves_the_rule_unknown(judge):
    silent = Antivirus(address="unix:/run/clamd.ctl", trouble="clamd does not answer: Connection refused")
    result = judge("IMG-SAFE-04", image({"/a": "b"}), antivirus=silent)
    assert result.status is Status.UNKNOWN
    assert "Connection refused" in result.why
    assert judge("IMG-SAFE-04", image({"/a": "b"})).status is Status.SKIPPED


def test_suid_programs_of_the_distribution_are_left_alone_and_others_are_not(judge):
    usual = {f"/usr/bin/{name}": File(b"\x7fELF", mode=0o4755) for name in ("su", "passwd", "mount")}
    assert judge("IMG-SAFE-05", image(usual)).status is Status.PASSED
    for path in ("/home/app/passwd", "/usr/bin/python3.11", "/var/sh"):
        (finding,) = judge("IMG-SAFE-05", image({path: File(b"\x7fELF", mode=0o4755)})).findings
        assert finding.source == path
    assert judge("IMG-SAFE-05", image({"/home/data": File(b"", mode=0o2644)})).status is Status.PASSED


@pytest.mark.parametrize(
    "value", ["/usr/lib/x86_64-linux-gnu/libjemalloc.so.2", "libtcmalloc_minimal.so.4:/opt/intel/lib/libiomp5.so", ""]
)
def test_allocators_may_be_preloaded(judge, value):
    assert judge("IMG-SAFE-07", image({}, env={"LD_PRELOAD": value})).status is Status.PASSED


def test_other_libraries_may_not_be_preloaded(judge):
    assert (
        judge("IMG-SAFE-07", image({}, env={"LD_PRELOAD": "libjemalloc.so.2 /opt/x.so"})).findings[0].source
        == "ENV LD_PRELOAD"
    )
    assert judge("IMG-SAFE-07", image({"/etc/ld.so.preload": "/lib/libjemalloc.so\n"})).status is Status.FAILED
    assert judge("IMG-SAFE-07", image({"/etc/ld.so.preload": "# nothing\n"})).status is Status.PASSED


DEBIAN_CRONTAB = "SHELL=/bin/sh\n# m h\n17 *\t* * *\troot\tcd / && run-parts --report /etc/cron.hourly\n"


def test_schedules_of_the_distribution_are_left_alone(judge):
    files = {
        "/etc/crontab": DEBIAN_CRONTAB,
        "/etc/cron.daily/apt-compat": "#!/bin/sh\n",
        "/etc/cron.d/.placeholder": "",
        "/etc/crontabs/root": "*/15 * * * * run-parts /etc/periodic/15min\n",
    }
    assert judge("IMG-SAFE-08", image(files)).status is Status.PASSED


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/etc/crontab", DEBIAN_CRONTAB + "*/5 * * * * root /opt/x\n"),
        ("/etc/cron.d/x", "@reboot root /opt/x\n"),
        ("/var/spool/cron/crontabs/root", "* * * * * /opt/x\n"),
        ("/var/spool/cron/root", "* * * * * /opt/x\n"),
    ],
)
def test_other_schedules_are_told(judge, path, text):
    assert [finding.source for finding in judge("IMG-SAFE-08", image({path: text})).findings] == [path]


@pytest.mark.parametrize(
    "path", ["/home/me/.ssh/authorized_keys", "/home/u/.ssh/authorized_keys2", "/etc/ssh/authorized_keys/root"]
)
def test_keys_that_let_people_in_are_told(judge, path):
    assert judge("IMG-SAFE-09", image({path: "ssh-ed25519 AAAA me@home\n"})).status is Status.FAILED


@pytest.mark.parametrize(
    ("config", "source"),
    [
        ({"env": {"DB_PASSWORD": PASSWORD}}, "ENV DB_PASSWORD"),
        ({"labels": {"org.example.api-token": PASSWORD}}, "LABEL org.example.api-token"),
        (
            {"history": ("FROM x", f"RUN |1 TOKEN={PASSWORD} /bin/sh -c make # buildkit")},
            "TOKEN in step 2 of the history",
        ),
        ({"history": (f"/bin/sh -c git clone https://me:{PASSWORD}@git.example.org/x",)}, "step 1 of the history"),
        ({"history": (f"/bin/sh -c export API_KEY='{PASSWORD}' && make",)}, "API_KEY in step 1 of the history"),
    ],
)
def test_secrets_in_settings_are_told_without_being_shown(judge, config, source):
    (finding,) = judge("IMG-SECRET-01", image({}, **config)).findings
    assert finding.source == source
    assert PASSWORD not in str(finding)


def test_ordinary_settings_hold_no_secrets(judge):
    subject = image(
        {},
        env={"PATH": "/usr/bin", "GPG_KEY": "A035C8C19219BA821ECEA86B64E628F8D684696D", "LANG": "C.UTF-8"},
        labels={"org.opencontainers.image.source": "https://example.org/x"},
        history=(
            "/bin/sh -c #(nop)  ENV PATH=/usr/bin",
            "RUN /bin/sh -c set -eux; apt-get update; TOKEN=$(cat /run/secrets/token) make # buildkit",
            'CMD ["python3"]',
        ),
    )
    assert judge("IMG-SECRET-01", subject).findings == ()


def test_names_cannot_steer_a_terminal(judge):
    (finding,) = judge("IMG-SAFE-01", image({"/home/\x1b[2Jx": HARM})).findings
    assert "\x1b" not in finding.message + finding.source


def test_a_step_is_shown_without_the_secrets_in_it(judge):
    step = f"|1 TOKEN={PASSWORD} /bin/sh -c curl https://me:{PASSWORD}x@example.org/ && cp /bin/sh /home/sh"
    for rule in ("IMG-SAFE-01", "IMG-SAFE-05"):
        subject = image({"/home/sh": File(HARM, mode=0o4755)}, history=(step,))
        (finding,) = judge(rule, subject).findings
        assert PASSWORD not in finding.message
        assert "TOKEN=***" in finding.message
        assert "cp /bin/sh /home/sh" in finding.message
