import hashlib
import stat

import pytest
from sqlalchemy import text

from mooring.control.database import Database
from mooring.control.keys import AccessPair, Keys, Password, TokenText
from mooring.control.sealing import Sealing
from mooring.control.tables import Service
from mooring.errors import Conflict, Denied, Invalid, NotFound, Unavailable

DAY_MS = 24 * 3600 * 1000
GUESS = "é"


def sha(secret):
    return hashlib.sha256(secret.encode()).hexdigest()


@pytest.fixture
def data(settings):
    settings.data.mkdir(exist_ok=True)
    return settings.data


@pytest.fixture
def keys(db, clock, data):
    return Keys(db, Sealing.open(data), clock)


@pytest.fixture
def project(keys, data):
    keys.start(data)
    return keys.projects()[0].id


@pytest.fixture
def service(db, project):
    numbers = {
        "progress",
        "revision",
        "serving_revision",
        "published_at",
        "updated_at",
        "transition_at",
        "operation_at",
    }
    texts = {"owner", "service_name", "infer_type", "description", "workspace_id", "target", "status", "error_msg"}
    with db.begin() as session:
        fields = dict.fromkeys(numbers, 1) | dict.fromkeys(texts, "x")
        session.add(Service(id="svc", project_id=project, request={}, **fields))
    return "svc"


class TestTheFirstStart:
    def test_makes_a_project_and_a_token_and_tells_it_once(self, keys, data):
        made = keys.start(data)
        assert [project.name for project in keys.projects()] == ["default"]
        assert (data / "token").read_text() == made.secret + "\n"
        assert stat.S_IMODE((data / "token").stat().st_mode) == 0o600
        assert keys.callers().tokens[sha(made.secret)].principal.user_name == "admin"
        assert keys.start(data) is None
        assert (data / "token").read_text() == made.secret + "\n"

    def test_who_lost_the_token_can_ask_for_another(self, keys, data):
        first, second = keys.start(data), keys.start(data, anew=True)
        assert (data / "token").read_text() == second.secret + "\n"
        assert set(keys.callers().tokens) == {sha(first.secret), sha(second.secret)}

    def test_a_token_that_cannot_be_written_down_is_not_made(self, keys, data):
        with pytest.raises(Unavailable):
            keys.start(data / "nowhere")
        assert keys.projects() == ()
        assert keys.start(data) is not None

    def test_when_no_token_opens_the_project_any_more_the_next_start_makes_one(self, keys, data):
        first = keys.start(data)
        keys.revoke(first.key.project_id, first.key.id)
        second = keys.start(data)
        assert (data / "token").read_text() == second.secret + "\n"
        assert list(keys.callers().tokens) == [sha(second.secret)]


class TestKeys:
    def test_no_secret_is_in_the_database(self, keys, db, project, service, data):
        pair = keys.create_pair(project, "ada")
        made = [keys.create_token(project, "ada"), pair, keys.create_app_code(project, service)]
        made += [keys.create_gateway_token()]
        session = keys.login(AccessPair(access=pair.key.access, secret=pair.secret))
        with db.read() as rows:
            kept = repr(rows.execute(text("SELECT * FROM key")).all())
        for secret in [*(each.secret for each in made), session.token, (data / "token").read_text().strip()]:
            assert secret
            assert secret not in kept
        assert all(each.secret not in repr(each) for each in made)

    def test_each_key_lets_its_user_call(self, keys, project, service):
        token = keys.create_token(project, "ada", expires_at=keys._now_ms() + 5)
        pair = keys.create_pair(project, "bob")
        app_pair = keys.create_pair(project, "eve", service_id=service)
        code = keys.create_app_code(project, service)
        callers = keys.callers()
        found = callers.tokens[sha(token.secret)]
        assert (found.principal.project_id, found.principal.user_name) == (project, "ada")
        assert found.expires_at_ms == token.key.expires_at
        assert callers.access_keys[pair.key.access].secret == pair.secret
        assert callers.access_keys[pair.key.access].principal.service_id == ""
        assert callers.access_keys[app_pair.key.access].principal.service_id == service
        assert callers.app_codes[sha(code.secret)].principal.service_id == service
        assert len(pair.key.access) == 20
        assert len(pair.secret) == 40

    def test_they_are_listed_without_secrets_and_by_project(self, keys, project):
        other = keys.create_project("other").id
        made = keys.create_token(other, "ada", description="for the robot")
        gateway = keys.create_gateway_token()
        keys.login(TokenText(token=made.secret))
        assert keys.list(other) == (made.key,)
        assert keys.list("") == (gateway.key,)
        assert [key.user_name for key in keys.list(project)] == ["admin"]

    def test_a_revoked_key_opens_nothing_and_its_sessions_neither(self, keys, project):
        made = keys.create_token(project, "ada")
        other = keys.create_token(project, "bob")
        session = keys.login(TokenText(token=keys.login(TokenText(token=made.secret)).token))
        assert sha(session.token) in keys.callers().tokens
        keys.revoke(project, made.key.id)
        tokens = keys.callers().tokens
        assert not {sha(made.secret), sha(session.token)} & set(tokens)
        assert sha(other.secret) in tokens
        with pytest.raises(NotFound):
            keys.revoke(project, made.key.id)
        for secret in (made.secret, session.token):
            with pytest.raises(Denied):
                keys.login(TokenText(token=secret))

    def test_a_pair_is_revoked_by_its_access_key_and_not_from_another_project(self, keys, project):
        pair = keys.create_pair(project, "ada")
        other = keys.create_project("other").id
        with pytest.raises(NotFound):
            keys.revoke(other, pair.key.access)
        keys.revoke(project, pair.key.access)
        assert keys.callers().access_keys == {}

    def test_a_gateway_token_is_for_gateways_only(self, keys, project):
        made = keys.create_gateway_token()
        assert keys.is_gateway(made.secret)
        assert not keys.is_gateway(keys.create_token(project, "ada").secret)
        assert sha(made.secret) not in keys.callers().tokens
        with pytest.raises(Denied):
            keys.login(TokenText(token=made.secret))
        keys.revoke("", made.key.id)
        assert not keys.is_gateway(made.secret)

    def test_callers_are_made_anew_only_after_a_change_and_whoever_waits_is_told(self, keys, project):
        told = []
        keys.on_change = lambda: told.append(len(keys.callers().tokens))
        before = keys.callers()
        assert keys.callers() is before
        made = keys.create_token(project, "ada")
        keys.login(TokenText(token=made.secret))
        keys.revoke(project, made.key.id)
        assert told == [2, 3, 1]

    def test_after_a_restart_the_same_keys_open(self, keys, settings, clock, project, data):
        token, pair = keys.create_token(project, "ada"), keys.create_pair(project, "bob")
        db = Database.open(settings)
        callers = Keys(db, Sealing.open(data), clock).callers()
        assert sha(token.secret) in callers.tokens
        assert callers.access_keys[pair.key.access].secret == pair.secret
        db.close()

    def test_pairs_whose_sealing_key_was_lost_are_left_out_and_the_rest_goes_on(self, keys, db, clock, project, caplog):
        token, pair = keys.create_token(project, "ada"), keys.create_pair(project, "bob")
        lost = Keys(db, Sealing(b"0" * 32), clock)
        assert sha(token.secret) in lost.callers().tokens
        assert lost.callers().access_keys == {}
        assert pair.key.access in caplog.text
        with pytest.raises(Denied):
            lost.login(AccessPair(access=pair.key.access, secret=pair.secret))

    @pytest.mark.parametrize(
        "fields",
        [{"user_name": ""}, {"user_name": "a" * 65}, {"user_name": "a\nb"}, {"description": "a\0b"}, {"expires_at": 5}],
    )
    def test_what_cannot_be_is_invalid(self, keys, project, fields):
        with pytest.raises(Invalid):
            keys.create_token(**{"project_id": project, "user_name": "ada"} | fields)

    def test_what_does_not_exist_is_not_found(self, keys, project, service):
        other = keys.create_project("other").id
        with pytest.raises(NotFound):
            keys.create_token("0" * 32, "ada")
        with pytest.raises(NotFound):
            keys.create_app_code(project, "none")
        with pytest.raises(NotFound):
            keys.create_app_code(other, service)


class TestProjects:
    def test_their_names_are_unique(self, keys):
        made = keys.create_project("eu-local_1")
        assert keys.project(made.id) == made
        assert len(made.id) == 32
        with pytest.raises(Conflict) as error:
            keys.create_project("eu-local_1")
        assert error.value.case == "project-exists"

    @pytest.mark.parametrize("name", ["", "a" * 65, "-a", "a b", "a\n", "é"])
    def test_a_bad_name_is_invalid(self, keys, name):
        with pytest.raises(Invalid):
            keys.create_project(name)

    def test_one_that_is_not_there_is_not_found(self, keys):
        with pytest.raises(NotFound) as error:
            keys.project("0" * 32)
        assert error.value.case == "project-unknown"


class TestLogin:
    def test_every_method_gives_a_session_of_24_hours(self, keys, project, clock):
        token, pair = keys.create_token(project, "ada"), keys.create_pair(project, "ada")
        for who, method in (
            (Password(user_name="ada", password=token.secret), "password"),
            (AccessPair(access=pair.key.access, secret=pair.secret), "hw_ak_sk"),
            (TokenText(token=token.secret), "token"),
        ):
            login = keys.login(who, project="default", project_id=project)
            assert (login.method, login.project.name, login.key.user_name) == (method, "default", "ada")
            found = keys.callers().tokens[sha(login.token)]
            assert found.expires_at_ms == login.key.expires_at == clock.now + DAY_MS

    def test_a_session_ends_no_later_than_the_key_it_was_made_with(self, keys, project, clock):
        token = keys.create_token(project, "ada", expires_at=clock.now + 1000)
        assert keys.login(TokenText(token=token.secret)).key.expires_at == clock.now + 1000

    def test_a_session_made_with_a_session_ends_with_the_first(self, keys, project, clock):
        first = keys.login(TokenText(token=keys.create_token(project, "ada").secret))
        clock.pass_ms(DAY_MS // 2)
        assert keys.login(TokenText(token=first.token)).key.expires_at == first.key.expires_at

    def test_sessions_that_ended_leave_nothing_behind(self, keys, db, project, clock):
        token = keys.create_token(project, "ada")
        for _ in range(3):
            keys.login(TokenText(token=token.secret))
            clock.pass_ms(DAY_MS)
        with db.read() as session:
            assert session.scalar(text("SELECT count(*) FROM key WHERE kind = 'session'")) == 1

    def test_what_is_wrong_is_denied_with_its_case(self, keys, project, service, clock):
        token, pair = keys.create_token(project, "ada"), keys.create_pair(project, "ada")
        app = keys.create_pair(project, "ada", service_id=service)
        short = keys.create_token(project, "ada", expires_at=clock.now + 1)
        clock.pass_ms(1)
        other = keys.create_project("other").id
        right = TokenText(token=token.secret)
        for case, who, scope in (
            ("password-wrong", Password(user_name="bob", password=token.secret), {}),
            ("password-wrong", Password(user_name="ada", password=GUESS), {}),
            ("key-unknown", AccessPair(access="AK", secret=pair.secret), {}),
            ("key-unknown", AccessPair(access=pair.key.access, secret=GUESS), {}),
            ("key-unknown", AccessPair(access=app.key.access, secret=app.secret), {}),
            ("token-invalid", TokenText(token=GUESS), {}),
            ("token-expired", TokenText(token=short.secret), {}),
            ("project-mismatch", right, {"project": "other"}),
            ("project-mismatch", right, {"project": "none"}),
            ("project-mismatch", right, {"project_id": other}),
        ):
            with pytest.raises(Denied) as error:
                keys.login(who, **scope)
            assert error.value.case == case
