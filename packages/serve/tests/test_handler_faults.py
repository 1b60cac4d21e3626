"""What a caller meets when the handler's code misbehaves: an answer in the usual form, and a worker that goes on."""

import concurrent.futures

import pytest
from served import IMAGES, api

from mooring_serve import ErrorResponse

ROWS = api(data={"type": "object", "properties": {"x": {"type": "number"}, "note": {"type": "string"}}})


def goes_on(served, before):
    """The same worker answers the next call."""
    assert served.json("/", {"x": 0})[:2] == (200, {"y": 0})
    assert served.workers() == before


def failed(answer, *said):
    """A 500 in the usual form, with the request id."""
    status, body, headers = answer
    assert (status, body["error_code"]) == (500, "HANDLER_FAILED"), answer
    assert headers["x-request-id"] in body["error_msg"]
    for words in said:
        assert words in body["error_msg"]


def at_once(served, bodies):
    with concurrent.futures.ThreadPoolExecutor(len(bodies)) as callers:
        return [answer[:2] for answer in callers.map(lambda body: served.json("/", body), bodies)]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise ErrorResponse(422, {'why': {1}, 'what': b'bytes'})", "ErrorResponse (handler.py line 23)"),
        ("raise ErrorResponse(422, {'why': float('inf')})", "not finite"),
        ("raise altered(status='422')", "status must be"),
        ("raise altered(body=['no object'])", "body must be"),
        ("raise Mute()", "Mute (handler.py line 23)"),
        ("return {}[Mute()]", "KeyError (handler.py line 23)"),
        ("raise SystemExit(3)", "SystemExit (handler.py line 23)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt (handler.py line 23)"),
        ("raise Final('bye')", "Final (handler.py line 23)"),
        ("sys.stdout.close(); raise OSError('no disk')", "OSError (handler.py line 23)"),
        ("sys.stdout = None; raise OSError('no disk')", "OSError (handler.py line 23)"),
        ("deep = []; [deep := [deep] for _ in range(100_000)]; return deep", "nested too deep"),
        ("ring = {}; ring['ring'] = ring; return ring", "holds itself"),
    ],
)
def test_whatever_the_handler_raises_or_returns_its_worker_goes_on(project, serve, code, said):
    served = serve(
        project(f"""
            import sys
            from mooring_serve import ErrorResponse, Handler

            class Mute(Exception):
                def __str__(self): raise RuntimeError("no words")
                __repr__ = __str__

            class Final(BaseException):
                pass

            def altered(**attributes):
                error = ErrorResponse(422, {{}})
                vars(error).update(attributes)
                return error

            class Faulty(Handler):
                def predict(self, x):
                    if x == 0:
                        return {{"y": 0}}
                    for _ in range(1):
                        pass
                    {code}
        """)
    ).ready()
    before = served.workers()
    failed(served.json("/", {"x": 1}), said)
    goes_on(served, before)
    assert not any("worker gone" in line for line in served.log)
    served.line("ERROR handler failed")


def test_a_bad_input_without_words_is_still_a_400(project, serve):
    code = """
        from mooring_serve import BadInput, Handler

        class Mute(BadInput):
            def __str__(self): raise RuntimeError("no words")

        class Faulty(Handler):
            def predict(self, x): raise Mute
    """
    status, body, _ = serve(project(code)).ready().json("/", {"x": 1})
    assert (status, body["error_msg"]) == (400, "the request cannot be answered")


def test_sets_are_sent_as_lists_whatever_they_hold(project, serve):
    code = """
        from mooring_serve import Handler

        class Sets(Handler):
            def predict(self, x): return {"mixed": {1, "one", None}, "sorted": {3, 1, 2}}
    """
    status, body, _ = serve(project(code)).ready().json("/", {"x": 1})
    assert (status, body["sorted"]) == (200, [1, 2, 3])
    assert sorted(map(str, body["mixed"])) == ["1", "None", "one"]


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        ("404", {}, TypeError, "status must be a whole number"),
        (True, {}, TypeError, "status must be a whole number"),
        (404.0, {}, TypeError, "status must be a whole number"),
        (399, {}, ValueError, "400 to 599, got 399"),
        (600, {}, ValueError, "400 to 599, got 600"),
        (404, ["a"], TypeError, "body must be a dict, got list"),
        (404, None, TypeError, "body must be a dict, got NoneType"),
    ],
)
def test_an_error_response_that_cannot_be_answered_is_refused_where_it_is_made(status, body, kind, said):
    with pytest.raises(kind, match=said):
        ErrorResponse(status, body)


def test_the_standard_librarys_names_for_statuses_will_do(project, serve):
    code = """
        from http import HTTPStatus
        from mooring_serve import ErrorResponse, Handler

        class Named(Handler):
            def predict(self, x): raise ErrorResponse(HTTPStatus.NOT_FOUND, {"erno": 1})
    """
    assert serve(project(code)).ready().json("/", {"x": 1})[:2] == (404, {"erno": 1})


BATCH_ONLY = """
    from mooring_serve import Handler

    class Batches(Handler):
        def predict_batch(self, batch): return [sorted(fields) for fields in batch]
"""


def test_predict_batch_alone_asks_only_for_what_the_schema_requires(project, serve):
    required = api("/", data={**ROWS["request"]["data"], "required": ["x"]})
    served = serve(project(BATCH_ONLY, required)).ready()
    assert served.json("/", {"x": 1})[:2] == (200, ["x"])
    assert served.json("/", {"x": 1, "note": "n"})[:2] == (200, ["note", "x"])
    assert served.json("/", {"note": "n"})[0] == 400


def test_predict_batch_alone_asks_for_no_field_where_the_schema_requires_none(project, serve):
    assert serve(project(BATCH_ONLY, ROWS)).ready().json("/", {})[:2] == (200, [])


def test_predict_batch_alone_asks_for_the_files_of_a_form_and_not_for_its_texts(project, serve):
    properties = {**IMAGES["request"]["data"]["properties"], "top": {"type": "integer"}}
    form = api(content_type="multipart/form-data", data={"type": "object", "properties": properties})
    served = serve(project(BATCH_ONLY, form)).ready()
    assert served.upload(images=("a.jpg", b"x"))[:2] == (200, ["images"])
    status, body, _ = served.upload(top="1")
    assert (status, "'images'" in body["error_msg"]) == (400, True)


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("raise BadInput('negative')", (400, "negative")),
        ("raise ErrorResponse(422, {'error_msg': 'not so'})", (422, "not so")),
        ("raise RuntimeError('negative')", (500, "RuntimeError (handler.py line 10)")),
        ("raise SystemExit", (500, "SystemExit (handler.py line 10)")),
        ("found.append(BadInput('in its place')); continue", (400, "in its place")),
        ("found.append(KeyError('y')); continue", (500, "KeyError 'y'")),
        ("continue", (500, "predict_batch got 1 inputs and returned 0 results")),
    ],
)
def test_only_the_guilty_call_of_a_batch_fails(project, serve, code, answer):
    served = serve(
        project(
            f"""
            from mooring_serve import BadInput, ErrorResponse, Handler

            class Batches(Handler):
                def predict_batch(self, batch):
                    found = []
                    for fields in batch:
                        rows = fields["rows"]
                        if rows.pop() < 0:
                            {code}
                        found.append({{"rows": rows}})
                    return found
        """,
            api(data={"type": "object", "properties": {"rows": {"type": "array"}}}),
        ),
        batch_size=4,
        batch_window_ms=2000,
    ).ready()
    bodies = [{"rows": [x, x]} for x in (1, 2, -3, 4)]
    first, second, guilty, last = at_once(served, bodies)
    assert [first, second, last] == [(200, {"rows": [x]}) for x in (1, 2, 4)], "each is given what was sent"
    assert guilty[0] == answer[0]
    assert answer[1] in guilty[1]["error_msg"]


def test_files_are_whole_again_when_a_batch_is_run_one_by_one(project, serve):
    code = """
        from mooring_serve import BadInput, Handler

        class Batches(Handler):
            def predict_batch(self, batch):
                contents = []
                for fields in batch:
                    with fields["images"] as file:
                        contents.append(file.read().decode())
                if "bad" in contents:
                    raise BadInput("a bad one")
                return [{"content": content, "of": len(batch)} for content in contents]
    """
    served = serve(project(code, IMAGES), batch_size=3, batch_window_ms=2000).ready()
    with concurrent.futures.ThreadPoolExecutor(3) as callers:
        contents = (b"one", b"bad", b"two")
        answers = list(callers.map(lambda content: served.upload(images=("a.jpg", content))[:2], contents))
    assert answers[0] == (200, {"content": "one", "of": 1})
    assert answers[1] == (400, {"error_code": "INVALID_REQUEST", "error_msg": "a bad one"})
    assert answers[2] == (200, {"content": "two", "of": 1})


def test_a_post_that_fails_for_one_call_does_not_cost_the_others_of_its_batch_their_run(project, serve):
    code = """
        from mooring_serve import BadInput, Handler

        class Batches(Handler):
            def predict_batch(self, batch): return [(fields["x"], len(batch)) for fields in batch]
            def post(self, result):
                if result[0] < 0:
                    raise BadInput("negative")
                return {"of": result[1]}
    """
    served = serve(project(code), batch_size=3, batch_window_ms=2000).ready()
    answers = at_once(served, [{"x": 1}, {"x": -2}, {"x": 3}])
    assert answers[0] == answers[2] == (200, {"of": 3})
    assert answers[1][0] == 400


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [("return {'y': 'child'}", 0), ("raise SystemExit(7)", 7), ("raise SystemExit", 0), ("raise OSError('child')", 1)],
)
@pytest.mark.parametrize("method", ["predict(self, x)", "predict_batch(self, batch)"])
def test_a_child_that_the_handler_forks_never_answers_for_the_worker(project, serve, code, exit_code, method):
    served = serve(
        project(f"""
            import os
            from mooring_serve import Handler

            class Forks(Handler):
                def {method}:
                    child = os.fork()
                    if child == 0:
                        {code}
                    status = os.waitpid(child, 0)[1]
                    return [status >> 8]
        """),
        predict_timeout_seconds=5,
    ).ready()
    before = served.workers()
    expected = [exit_code] if method.startswith("predict(") else exit_code
    for _ in range(3):
        assert served.json("/", {"x": 1})[:2] == (200, expected)
    assert served.workers() == before


def test_a_child_that_setup_forks_never_takes_the_workers_calls(project, serve):
    code = """
        import os
        from mooring_serve import Handler

        class Forks(Handler):
            def setup(self, model_dir):
                self.parent = os.getpid()
                if os.fork():
                    os.wait()
            def predict(self, x):
                return {"parent": os.getpid() == self.parent}
    """
    served = serve(project(code)).ready()
    assert [served.json("/", {"x": 1})[1] for _ in range(3)] == [{"parent": True}] * 3


@pytest.mark.parametrize("code", ["raise Final('bye')", "raise Mute", "sys.stdout.close(); raise OSError('no disk')"])
def test_whatever_setup_raises_the_health_answer_gives_the_reason(project, serve, code):
    served = serve(
        project(f"""
            import sys
            from mooring_serve import Handler

            class Final(BaseException):
                pass

            class Mute(Exception):
                def __str__(self): raise RuntimeError("no words")

            class Faulty(Handler):
                def setup(self, model_dir):
                    {code}
                def predict(self, x): return x
        """)
    )
    assert "loading failed: " in served.line(r"ERROR worker gone .*reason=(.*)")[1]


def test_the_line_that_is_named_is_the_user_s_and_not_a_library_s(project, serve):
    code = """
        import fractions
        from mooring_serve import Handler

        class Own(Handler):
            def predict(self, x):
                return fractions.Fraction("no number")
    """
    body = serve(project(code)).ready().json("/", {"x": 1})[1]
    assert "ValueError (handler.py line 7)" in body["error_msg"]
