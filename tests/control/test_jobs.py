"""Batch services from the wish to the list of results."""

import asyncio
import hashlib
import json
from dataclasses import replace

import pytest
from control.house import ANYONE, JumpingClock
from control.house import entry as make
from control.works import Works, answers, listed, run

from mooring.control.housekeeping import tidy
from mooring.control.service_views import ServiceQuery
from mooring.control.tables import Item, Job
from mooring.control.wishes import ServiceChange
from mooring.engine.memory import MemoryWorld
from mooring.errors import Conflict


@pytest.fixture
def world():
    with MemoryWorld() as made:
        yield made


@pytest.fixture
def house(db, settings, world):
    return Works(db, replace(settings, edition="otc-2024"), world, JumpingClock())


def test_a_folder_becomes_a_result_for_each_file_and_a_list_of_them(house):
    async def test():
        house.fill(20)
        service = house.batch(instances=2)
        await house.until_over(service)
        found = house.results()
        lines = listed(found)
        assert len(answers(found)) == len(lines) == 20
        assert [line["source"] for line in lines] == sorted(line["source"] for line in lines)
        assert {line["result"] for line in lines} == {"SUCCESSFUL"}
        assert set(answers(found)) == {f"infer-result/{n % 7}/{n:05}.txt_result.txt" for n in range(20)}
        assert all(set(json.loads(body)) == {"sha256"} for body in answers(found).values())
        assert house.seen[0] == "deploying"
        assert house.seen[-2:] == ["running", "finished"]
        await house.rest(service)
        assert house.running() == []
        assert house.events(service)[-2:] == ["service started", "service has been executed"]
        await house.close()

    run(test())


def test_progress_and_times_are_told(house):
    async def test():
        house.fill(6)
        service = house.batch("memory:digest_slow-0.2", concurrency=1)
        await house.until(lambda: house.job(service).done >= 2)
        job = house.job(service)
        assert (job.total, job.failed) == (6, 0)
        assert 0 < job.percent < 100
        assert job.per_second > 0
        assert job.seconds_left is not None
        await house.until_over(service)
        job = house.job(service)
        assert (job.done, job.percent, job.requests) == (6, 100, 6)
        assert job.finished_at >= job.started_at
        assert sum(house.view(service).calls.values()) == 6
        await house.close()

    run(test())


def test_a_row_of_each_table_is_a_request_and_the_answers_are_in_its_order(house):
    async def test():
        source = house.folder / "in"
        source.mkdir()
        (source / "a.csv").write_text("3\n1\n2\n")
        (source / "b.csv").write_text("7\nseven\n")
        service = house.batch(kind="csv", instances=2)
        await house.until_over(service)
        found = house.results()
        sent = [json.loads(line)["sha256"] for line in found["infer-result/a.csv_result.txt"].splitlines()]
        assert sent == [hashlib.sha256(json.dumps({"n": n}).replace(" ", "").encode()).hexdigest() for n in (3, 1, 2)]
        good, bad = listed(found)
        assert good["result"] == "SUCCESSFUL"
        assert bad["result"] == "FAILED"
        assert "row 2" in bad["error_message"]
        assert house.job(service).requests == 5
        assert house.job(service).failed_requests == 1
        await house.close()

    run(test())


def test_one_bad_input_fails_alone_and_the_list_says_why(house):
    async def test():
        house.fill(10)
        (house.folder / "in" / "0" / "00007.txt").write_text("bad")
        service = house.batch("memory:digest_picky")
        await house.until_over(service)
        found = house.results()
        [bad] = [line for line in listed(found) if line["result"] == "FAILED"]
        assert bad["source"].endswith("/0/00007.txt")
        assert "400" in bad["error_message"]
        assert "inference-loc" not in bad
        assert len(answers(found)) == 9
        assert house.events(service)[-1] == "service has been executed, 1 of 10 inputs failed"
        [item] = house.items(service, "failed")
        assert (item.number, item.state) == (1, "failed")
        await house.close()

    run(test())


def test_failed_inputs_are_done_again_on_wish_and_the_list_is_written_anew(house):
    async def test():
        house.fill(10)
        bad = house.folder / "in" / "0" / "00007.txt"
        bad.write_text("bad")
        service = house.batch("memory:digest_picky")
        await house.until_over(service)
        task = house.job(service).task_id
        bad.write_text("good")
        house.services.retry(ANYONE, service)
        await house.until_over(service)
        found = house.results()
        assert house.job(service).task_id == task
        assert {line["result"] for line in listed(found)} == {"SUCCESSFUL"}
        assert (len(answers(found)), house.job(service).done, house.job(service).requests) == (10, 10, 10)
        with pytest.raises(Conflict) as error:
            house.services.retry(ANYONE, service)
        assert error.value.case == "nothing-failed"
        await house.close()

    run(test())


def test_a_stopped_job_goes_on_where_it_was_with_the_same_task(house):
    async def test():
        house.fill(12)
        service = house.batch("memory:digest_slow-0.1", concurrency=1)
        await house.until(lambda: house.job(service).done >= 3)
        house.turn(service, "stopped")
        await house.until_over(service, "stopped")
        stopped = house.job(service)
        assert 3 <= stopped.done < 12
        assert house.running() == []
        await asyncio.sleep(0.3)
        assert house.job(service).done == stopped.done
        house.turn(service, "running")
        await house.until_over(service)
        assert house.job(service).task_id == stopped.task_id
        assert len(listed(house.results())) == 12
        await house.close()

    run(test())


def test_a_finished_service_that_is_started_has_a_new_task_which_wants_an_empty_output(house):
    async def test():
        house.fill(3)
        service = house.batch()
        await house.until_over(service)
        first = house.job(service).task_id
        house.turn(service, "running")
        await house.until_over(service, "failed")
        assert "is not empty" in house.view(service).error_msg
        assert house.events(service, abnormal=True)[-1].startswith("batch service failed, try again later, with error")
        before = house.results()
        for file in house.folder.glob("out/**/*.txt"):
            file.unlink()
        for file in house.folder.glob("out/*.manifest"):
            file.unlink()
        house.turn(service, "running")
        await house.until_over(service)
        assert house.job(service).task_id != first
        assert answers(house.results()) == answers(before)
        with house.db.read() as session:
            assert session.query(Job).count() == 2
        tidy(house.db, house.story, house.logs, house.clock())
        with house.db.read() as session:
            assert session.query(Job).count() == 1
            assert session.query(Item).count() == 3
        await house.close()

    run(test())


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"src_path": "file:///nowhere/at/all/"}, "is not there"),
        ({"src_path": "{folder}/empty/"}, "no input"),
        ({"dest_path": "{folder}/in/"}, ""),
        ({"kind": "csv"}, "no .csv file"),
    ],
)
def test_what_is_wrong_with_the_input_fails_the_service_with_the_reason(house, more, why):
    async def test():
        house.fill(3)
        (house.folder / "empty").mkdir()
        told = {key: value.replace("{folder}", f"file://{house.folder}") for key, value in more.items()}
        if not why:
            with pytest.raises(Exception, match="overlap"):
                house.batch(**told)
            return
        service = house.batch(**told)
        await house.until_over(service, "failed")
        assert why in house.view(service).error_msg
        await house.rest(service)
        assert house.running() == []
        assert house.results() == {}
        await house.close()

    run(test())


def test_a_model_that_does_not_start_fails_the_service_as_any_other(house):
    async def test():
        house.fill(3)
        service = house.batch("memory:exits=3")
        await house.until_over(service, "failed", seconds=30)
        assert "exit code 3" in house.view(service).error_msg
        assert house.results() == {}
        await house.close()

    run(test())


def test_a_job_of_which_too_much_fails_is_given_up_and_goes_on_with_what_failed_on_wish(house):
    async def test():
        house.fill(30, text="bad {number}")
        service = house.batch("memory:digest_picky", error_threshold=20, concurrency=1)
        await house.until_over(service, "failed")
        assert "20 %" in house.view(service).error_msg
        job = house.job(service)
        assert 6 < job.failed < 30
        house.fill(30)
        house.services.retry(ANYONE, service)
        await house.until_over(service)
        assert {line["result"] for line in listed(house.results())} == {"SUCCESSFUL"}
        await house.close()

    run(test())


def test_an_instance_that_is_killed_costs_no_input(house, world):
    async def test():
        house.fill(60)
        service = house.batch("memory:digest_slow-0.05", instances=3, concurrency=2)
        await house.until(lambda: house.job(service).done >= 5)
        for name in house.running()[:2]:
            world.kill(name)
        await house.until_over(service, seconds=0.5)
        assert {line["result"] for line in listed(house.results())} == {"SUCCESSFUL"}
        assert len(answers(house.results())) == 60
        await house.close()

    run(test())


def test_a_batch_service_is_started_by_the_editions_command_and_nobody_may_call_it(house, world):
    async def test():
        house.fill(5)
        service = house.batch("memory:digest_slow-0.2", concurrency=1)
        await house.until(lambda: house.job(service).done >= 1)
        [name] = house.running()
        assert world.replica(name).workload.command == ("sh", "/home/run.sh")
        route = house.caller.route(service)
        assert (route.status, route.shares) == ("stopped", ())
        await house.close()

    run(test())


def test_a_manifest_names_the_input(house):
    async def test():
        source = house.fill(4)
        manifest = house.folder / "list.manifest"
        files = sorted(source.rglob("*.txt"))
        manifest.write_text("".join(f'{{"source ":"file://{file}"}}\n' for file in [*files, files[0]]))
        service = house.batch(src_path=f"file://{manifest}", src_type="ManifestFile")
        await house.until_over(service)
        assert len(answers(house.results())) == len(listed(house.results())) == 5
        await house.close()

    run(test())


def test_what_the_platform_keeps_is_no_input_for_anyone(house):
    async def test():
        house.fill(1)
        (house.settings.data / "secret.key").write_text("secret")
        manifest = house.folder / "list.manifest"
        manifest.write_text(f'{{"source":"file://{house.settings.data}/secret.key"}}\n')
        for source in (f"file://{house.settings.data}", f"file://{house.settings.data.parent}/"):
            service = house.batch(src_path=source, dest_path=f"file:///{house.folder}x/out", name=f"s{len(source)}")
            await house.until_over(service, "failed")
            assert "keeps for itself" in house.view(service).error_msg
        service = house.batch(src_path=f"file://{manifest}", name="listed")
        await house.until_over(service)
        [line] = listed(house.results())
        assert line["result"] == "FAILED"
        assert "keeps for itself" in line["error_message"]
        await house.close()

    run(test())


def test_a_deleted_service_leaves_no_rows_and_no_replicas(house):
    async def test():
        house.fill(8)
        service = house.batch("memory:digest_slow-0.1")
        await house.until(lambda: house.job(service).done >= 1)
        house.services.delete(ANYONE, (service,))
        await house.until(lambda: house.status(service) == "gone")
        tidy(house.db, house.story, house.logs, house.clock())
        with house.db.read() as session:
            assert session.query(Job).count() == session.query(Item).count() == 0
        assert house.running() == []
        await house.close()

    run(test())


def test_a_running_job_is_not_changed_and_a_finished_one_begins_anew_with_another_output(house):
    async def test():
        house.fill(5)
        service = house.batch("memory:digest_slow-0.1")
        await house.until_status(service, "running")
        entry = house.view(service).config[0]
        changed = make(entry["model_id"])
        with pytest.raises(Conflict):
            house.services.update(ANYONE, service, ServiceChange(config=(changed,)))
        await house.until_over(service)
        fields = {name: entry[name] for name in ("src_path", "req_uri", "mapping_type")}
        other = replace(changed, extra={**fields, "dest_path": f"file://{house.folder}/second/"})
        house.services.update(ANYONE, service, ServiceChange(config=(other,)))
        assert house.status(service) == "deploying"
        await house.until_over(service)
        assert len(list((house.folder / "second").glob("*.manifest"))) == 1
        await house.close()

    run(test())


def test_batch_and_real_time_services_are_listed_apart_and_counted_apart(house):
    async def test():
        house.fill(1)
        batch = house.batch()
        live = house.deploy(house.model("memory:ready"))
        for kind, expected in (("batch", batch), ("real-time", live)):
            [found] = house.services.list(ANYONE, ServiceQuery(infer_type=kind)).items
            assert found.id == expected
        await house.close()

    run(test())
