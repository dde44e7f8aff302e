"""The RPC layer of isocostd as foreign clients see it."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time

import grpc
import pytest

from isocost_protos import (
    error_details_pb2, health_pb2, health_pb2_grpc, plan_service_pb2, plan_service_pb2_grpc,
    reflection_alpha_pb2, reflection_alpha_pb2_grpc, reflection_pb2, reflection_pb2_grpc,
    server_service_pb2, server_service_pb2_grpc, status_pb2)
from isocost_server import IsocostServer, program
from small_models import FAKE_SOLVER, amount, part, two_clouds

SERVICES = {
    "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection", "isocost.v1.CatalogService",
    "isocost.v1.PlanService", "isocost.v1.ServerService", "isocost.v1.SessionService",
    "isocost.v1.UsageService"}


@pytest.fixture(scope="module")
def server():
    with IsocostServer("--solver", str(FAKE_SOLVER), "--solvers", "2", "--queue", "2") as running:
        yield running


@pytest.fixture(scope="module")
def plans(server):
    return plan_service_pb2_grpc.PlanServiceStub(server.channel())


def solve(model, **fields):
    return plan_service_pb2.SolvePlanRequest(
        model=plan_service_pb2.ModelRef(model=model), **fields)


def details(error):
    """The details of a failed call by type."""
    packed = dict(error.trailing_metadata())["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(packed)
    assert status.code == error.code().value[0]
    assert status.message == error.details()
    found = {}
    for any_message in status.details:
        name = any_message.type_url.rsplit(".", 1)[1]
        found[name] = getattr(error_details_pb2, name).FromString(any_message.value)
    assert found["ErrorInfo"].domain == "isocost"
    return found


def fails(code, call, *arguments, **options):
    options.setdefault("timeout", 20)
    with pytest.raises(grpc.RpcError) as caught:
        result = call(*arguments, **options)
        if hasattr(result, "__next__"):
            list(result)
    assert caught.value.code() == code, caught.value
    return caught.value


# --- health and reflection ---


@pytest.mark.parametrize("service", ["", *sorted(SERVICES)])
def test_health_says_serving_for_the_server_and_each_service(server, service):
    stub = health_pb2_grpc.HealthStub(server.channel())
    answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_health_does_not_know_other_services(server):
    stub = health_pb2_grpc.HealthStub(server.channel())
    fails(grpc.StatusCode.NOT_FOUND, stub.Check, health_pb2.HealthCheckRequest(service="x.Y"))


def test_health_watch_says_at_once_how_it_is(server):
    stub = health_pb2_grpc.HealthStub(server.channel())
    watch = stub.Watch(health_pb2.HealthCheckRequest(), timeout=10)
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
    watch.cancel()
    unknown = stub.Watch(health_pb2.HealthCheckRequest(service="x.Y"), timeout=10)
    assert next(unknown).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    unknown.cancel()


REFLECTIONS = [(reflection_pb2, reflection_pb2_grpc),
               (reflection_alpha_pb2, reflection_alpha_pb2_grpc)]


@pytest.mark.parametrize("messages,stubs", REFLECTIONS, ids=["v1", "v1alpha"])
def test_reflection_tells_the_whole_contract(server, messages, stubs):
    from google.protobuf import descriptor_pb2
    stub = stubs.ServerReflectionStub(server.channel())
    request = messages.ServerReflectionRequest

    def ask(*requests):
        return list(stub.ServerReflectionInfo(iter(requests), timeout=10))

    services, by_name, by_symbol = ask(
        request(list_services=""), request(file_by_filename="isocost/v1/plan.proto"),
        request(file_containing_symbol="isocost.v1.PlanService.SolvePlan"))
    assert {s.name for s in services.list_services_response.service} == SERVICES
    files = [descriptor_pb2.FileDescriptorProto.FromString(f) for f in
             [*by_name.file_descriptor_response.file_descriptor_proto,
              *by_symbol.file_descriptor_response.file_descriptor_proto]]
    assert files[0].name == "isocost/v1/plan.proto"
    known = {f.name for f in files}
    assert "isocost/v1/plan_service.proto" in known
    for file in files:  # everything that is imported was sent too
        assert set(file.dependency) <= known
    for wrong in (request(file_by_filename="no.proto"), request(file_containing_symbol="no.Name"),
                  request(all_extension_numbers_of_type="isocost.v1.Plan")):
        (answer,) = ask(wrong)
        assert answer.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
        assert answer.original_request == wrong


# --- calls ---


@pytest.mark.parametrize("way", ["unix", "tcp"])
def test_server_info_tells_who_calls_and_what_is_served(server, way):
    target = server.target if way == "unix" else server.address
    stub = server_service_pb2_grpc.ServerServiceStub(server.channel(target))
    info = stub.GetServerInfo(server_service_pb2.GetServerInfoRequest(), timeout=10)
    subject = "unix" if way == "unix" else "loopback"
    assert info.principal == f"default/default {subject}"
    assert {v.name for v in info.versions} >= {"isocost", "protobuf-c"}
    assert {limit.name: limit.value for limit in info.limits}["max_model_bytes"] == 16 << 20
    assert info.solvers_alive >= 2
    assert abs(info.start_time.seconds - time.time()) < 600
    assert "static" in info.plugins


def test_project_comes_from_metadata(server):
    stub = server_service_pb2_grpc.ServerServiceStub(server.channel())
    ask = server_service_pb2.GetServerInfoRequest()
    longest = "p" * 64
    for project in ("team-1_x", longest):
        info = stub.GetServerInfo(ask, timeout=10, metadata=[("isocost-project", project)])
        assert info.principal == f"default/{project} unix"
    for wrong in ("", "Team", "-x", "a b", "p" * 65):
        error = fails(grpc.StatusCode.INVALID_ARGUMENT, stub.GetServerInfo, ask,
                      metadata=[("isocost-project", wrong)])
        assert details(error)["BadRequest"].field_violations[0].field == "isocost-project"


def test_request_id_is_echoed_or_made(server):
    stub = server_service_pb2_grpc.ServerServiceStub(server.channel())
    ask = server_service_pb2.GetServerInfoRequest()

    def id_of(**options):
        _, call = stub.GetServerInfo.with_call(ask, timeout=10, **options)
        return dict(call.initial_metadata())["x-request-id"]

    assert id_of(metadata=[("x-request-id", "mine.1")]) == "mine.1"
    assert len(id_of()) == 24
    made = id_of(metadata=[("x-request-id", "not fit for a log")])
    assert " " not in made and len(made) == 24
    server.wait_for_log("id=mine.1 method=/isocost.v1.ServerService/GetServerInfo tenant=default")


def test_unknown_method_and_service_are_unimplemented(server):
    channel = server.channel()
    for path in ("/isocost.v1.PlanService/Nothing", "/x.Y/Z", "/", "//"):
        call = channel.unary_unary(path, lambda x: x, lambda x: x)
        fails(grpc.StatusCode.UNIMPLEMENTED, call, b"")


def test_malformed_message_is_invalid(server):
    call = server.channel().unary_unary("/isocost.v1.PlanService/GetPlan", lambda x: x, lambda x: x)
    for wrong in (b"\xff", b"\x0a\x05ab", b"\x0a\x02\xff\xfe"):
        error = fails(grpc.StatusCode.INVALID_ARGUMENT, call, wrong)
        assert details(error)["ErrorInfo"].reason == "E_INVALID"


def test_no_message_at_all_is_an_error_not_a_wait(server):
    call = server.channel().stream_unary("/isocost.v1.PlanService/GetPlan", lambda x: x, lambda x: x)
    error = fails(grpc.StatusCode.INTERNAL, call, iter([]))
    assert "without a request message" in error.details()


def test_too_large_a_message_names_the_way_out(server):
    channel = server.channel()
    small = channel.unary_unary("/isocost.v1.PlanService/GetPlan", lambda x: x, lambda x: x)
    large = channel.unary_unary("/isocost.v1.PlanService/SolvePlan", lambda x: x, lambda x: x)

    def filler(n):  # an unknown bytes field of n bytes and its header of 7
        size = bytes([n & 127 | 128, n >> 7 & 127 | 128, n >> 14 & 127 | 128, n >> 21])
        return b"\xfa\x7f" + size + b"\0" * n

    error = fails(grpc.StatusCode.RESOURCE_EXHAUSTED, small, filler((4 << 20) + 1))
    assert "RetryInfo" not in details(error)
    error = fails(grpc.StatusCode.RESOURCE_EXHAUSTED, large, filler((16 << 20) + 1))
    assert "UploadModel" in error.details()
    assert details(error)["QuotaFailure"].violations
    fails(grpc.StatusCode.RESOURCE_EXHAUSTED, large, b"\0" * (33 << 20))


def test_every_wrong_field_is_told_at_once(server, plans):
    model = two_clouds()
    model.workloads[0].id = "Not An Id"
    model.limits[0].maximum = -1
    model.periods[0].hours = 0
    error = fails(grpc.StatusCode.INVALID_ARGUMENT, plans.SolvePlan, solve(model))
    fields = {v.field for v in details(error)["BadRequest"].field_violations}
    assert {"model.workloads[0].id", "model.limits[0].maximum", "model.periods[0].hours"} <= fields
    call_id = details(error)["ErrorInfo"].metadata["request_id"]
    assert " code=INVALID " in server.wait_for_log(f"id={call_id}")


def test_more_wrong_fields_than_fit_are_counted(server, plans):
    model = two_clouds()
    for _ in range(90):
        model.workloads.add(id="Wrong " + "x" * 100)
    error = fails(grpc.StatusCode.INVALID_ARGUMENT, plans.SolvePlan, solve(model))
    violations = details(error)["BadRequest"].field_violations
    assert len(violations) > 5
    assert violations[-1].description.endswith("more fields are wrong")


def test_solver_s_own_refusal_comes_with_its_field(server, plans):
    error = fails(grpc.StatusCode.INVALID_ARGUMENT, plans.SolvePlan, solve(part("refuse")))
    (violation,) = details(error)["BadRequest"].field_violations
    assert violation.field == "model.workloads[0].allowed"


# --- deadlines, cancels, dead clients ---


def test_deadline_gives_the_best_plan_until_then(server, plans):
    begin = time.monotonic()
    answer = plans.SolvePlan(solve(part("improve")), timeout=2)
    assert time.monotonic() - begin < 2
    assert answer.plan.termination.stopped_by == 7  # DEADLINE
    # 720 n for n >= 10 instances, see small_models.
    assert amount(answer.plan.cost) >= 7200


def test_deadline_without_any_plan_gives_an_answer_in_time(server, plans):
    begin = time.monotonic()
    answer = plans.SolvePlan(solve(part("wait")), timeout=2)
    assert time.monotonic() - begin < 2
    assert answer.plan.termination.reason == 4  # NO_PLAN_FOUND


def test_deadline_that_has_passed_is_refused(server, plans):
    fails(grpc.StatusCode.DEADLINE_EXCEEDED, plans.SolvePlan, solve(part("good")), timeout=-1)


def wait_idle(server, seconds=20):
    """Waits until no solve waits or runs: a solve with keep = false is answered at once."""
    stub = server_service_pb2_grpc.ServerServiceStub(server.channel())
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        info = stub.GetServerInfo(server_service_pb2.GetServerInfoRequest(), timeout=10)
        if info.queue_depth == 0:
            return
        time.sleep(0.05)
    raise AssertionError("solves still wait")


def test_cancelled_solves_free_their_solvers(server, plans):
    calls = [plans.SolvePlan.future(solve(part("improve")), timeout=60) for _ in range(2)]
    time.sleep(0.3)
    for call in calls:
        call.cancel()
    assert plans.SolvePlan(solve(part("good")), timeout=30).plan.lines
    server.wait_for_log("code=CANCELLED")


def test_killed_client_frees_its_solver(server, plans):
    script = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "import grpc\n"
        "from isocost_protos import plan_service_pb2 as p, plan_service_pb2_grpc as g\n"
        "from small_models import part\n"
        "channel = grpc.insecure_channel(sys.argv[1])\n"
        "request = p.SolvePlanStreamRequest(model=p.ModelRef(model=part('improve')))\n"
        "for event in g.PlanServiceStub(channel).SolvePlanStream(request):\n"
        "    print('event', flush=True)\n")
    client = subprocess.Popen([sys.executable, "-c", script, server.target, *sys.path[:3]],
                              stdout=subprocess.PIPE, text=True)
    assert client.stdout.readline() == "event\n"
    n_before = server.log().count("code=CANCELLED")
    client.send_signal(signal.SIGKILL)
    client.wait()
    client.stdout.close()
    end = time.monotonic() + 20
    while server.log().count("code=CANCELLED") == n_before:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert plans.SolvePlan(solve(part("good")), timeout=30).plan.lines


def test_full_queue_is_refused_with_advice_to_retry(server, plans):
    wait_idle(server)
    calls = [plans.SolvePlan.future(solve(part("improve", 60)), timeout=60) for _ in range(8)]
    try:
        refused = []
        end = time.monotonic() + 20
        while not refused:
            assert time.monotonic() < end
            refused = [c for c in calls if c.done()]
            time.sleep(0.02)
        error = refused[0].exception()
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert details(error)["RetryInfo"].retry_delay.seconds == 1
        health = health_pb2_grpc.HealthStub(server.channel())  # the rest of the server is not held up
        health.Check(health_pb2.HealthCheckRequest(), timeout=5)
    finally:
        for call in calls:
            call.cancel()
    wait_idle(server)


def test_slow_reader_gets_the_last_message_and_the_server_keeps_little(server, plans):
    request = plan_service_pb2.SolvePlanStreamRequest(
        model=plan_service_pb2.ModelRef(model=part("improve", 4)), incumbents=True)
    stream = plans.SolvePlanStream(request, timeout=60)
    assert next(stream).WhichOneof("event") == "accepted"
    time.sleep(5)
    rest = [event.WhichOneof("event") for event in stream]
    assert rest[-1] == "plan"
    assert set(rest[:-1]) <= {"progress"}


# --- many clients and bad ones ---


def test_garbage_on_the_port_does_no_harm(server):
    host, port = server.address.split(":")
    for garbage in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", os.urandom(4096), b"\x00" * 64):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            try:
                connection.sendall(garbage)
                connection.settimeout(2)
                connection.recv(1024)
            except OSError:
                pass
    stub = health_pb2_grpc.HealthStub(server.channel(server.address))
    stub.Check(health_pb2.HealthCheckRequest(), timeout=10)


def test_too_much_metadata_is_refused(server):
    stub = server_service_pb2_grpc.ServerServiceStub(
        server.channel(options=[("grpc.use_local_subchannel_pool", 1)]))
    fails(grpc.StatusCode.RESOURCE_EXHAUSTED, stub.GetServerInfo,
          server_service_pb2.GetServerInfoRequest(), metadata=[("x-long", "x" * (20 << 10))])
    # The library may close that connection; others are not touched.
    other = server_service_pb2_grpc.ServerServiceStub(server.channel())
    other.GetServerInfo(server_service_pb2.GetServerInfoRequest(), timeout=10)


def test_cancel_storm_leaves_no_call_behind(server, plans):
    n_internal = server.log().count("code=INTERNAL")

    def storm():
        for i in range(60):
            call = plans.SolvePlanStream(plan_service_pb2.SolvePlanStreamRequest(
                model=plan_service_pb2.ModelRef(model=part("improve"))), timeout=30)
            if i % 3 == 0:
                try:
                    next(call)
                except grpc.RpcError:
                    pass
            call.cancel()

    threads = [threading.Thread(target=storm) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_idle(server)
    end = time.monotonic() + 30
    while True:
        try:
            assert plans.SolvePlan(solve(part("good")), timeout=30).plan.lines
            break
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert time.monotonic() < end
            time.sleep(0.1)
    assert server.log().count("code=INTERNAL") == n_internal


# --- starting and stopping ---


def test_drain_ends_watches_lets_calls_go_on_and_refuses_new_ones():
    with IsocostServer("--solver", str(FAKE_SOLVER), "--drain-seconds", "20") as server:
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        health = health_pb2_grpc.HealthStub(server.channel())
        watch = health.Watch(health_pb2.HealthCheckRequest(), timeout=60)
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        running = plans.SolvePlan.future(solve(part("improve")), timeout=3)
        time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
        with pytest.raises(grpc.RpcError) as caught:
            next(watch)
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        assert running.result().plan.termination.stopped_by == 7  # its own deadline, not the drain
        assert server.wait() == 0


def test_drain_cuts_what_does_not_end():
    with IsocostServer("--solver", str(FAKE_SOLVER), "--drain-seconds", "1") as server:
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        running = plans.SolvePlan.future(solve(part("improve", 60)), timeout=60)
        time.sleep(0.5)
        begin = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begin < 20
        assert running.exception().code() == grpc.StatusCode.UNAVAILABLE


def run(*arguments):
    return subprocess.run([str(program()), *arguments], capture_output=True, text=True, timeout=30)


def test_command_line_mistakes_are_one_sentence_with_exit_code_2():
    cases = {
        ("--lisen", "x"): "--lisen is not known; did you mean --listen?",
        ("--solvers", "many"): '--solvers is "many"; it must be a whole number in [0, 256]',
        ("--queue=0",): '--queue is "0"; it must be a whole number in [1, 100000]',
        ("--log-level", "loud"): "it must be debug, info, warning or error",
        ("--data-dir",): "--data-dir needs a value",
        ("serve",): '"serve" is not a flag',
    }
    for arguments, said in cases.items():
        result = run(*arguments)
        assert result.returncode == 2, arguments
        assert said in result.stderr and result.stderr.count("\n") == 1


def test_help_and_version():
    assert run("--version").stdout.startswith("isocostd ")
    text = run("--help").stdout
    for name in ("--listen", "--data-dir", "--solver-memory-mib", "--drain-seconds", "--config"):
        assert name in text


def start_failure(tmp_path, *arguments):
    result = run("--data-dir", str(tmp_path / "data"), *arguments)
    assert result.returncode == 1
    lines = [line for line in result.stderr.splitlines() if line.startswith("isocostd: ")]
    assert len(lines) == 1
    return lines[0]


def test_only_loopback_and_unix_sockets_are_listened_on(tmp_path):
    for address in ("0.0.0.0:0", "192.0.2.1:7443", "example.com:80", "[::]:0", ":7443"):
        assert "TLS" in start_failure(tmp_path, "--listen", address)
    assert "absolute path" in start_failure(tmp_path, "--listen", "unix:relative.sock")
    assert "No such file" in start_failure(tmp_path, "--listen", f"unix:{tmp_path}/none/s.sock")
    (tmp_path / "file").write_text("")
    assert "no socket" in start_failure(tmp_path, "--listen", f"unix:{tmp_path}/file")


def test_port_and_socket_in_use_are_said_clearly(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert "another program" in start_failure(tmp_path, "--listen", f"127.0.0.1:{port}")
    with IsocostServer() as server:
        assert "in use" in start_failure(tmp_path, "--listen", f"unix:{server.socket}")
        assert "another program" in start_failure(tmp_path, "--listen", server.address)
        assert "in use" in run("--data-dir", str(server.data), "--listen",
                               f"unix:{tmp_path}/s.sock").stderr


def test_socket_is_private_and_a_stale_one_is_replaced():
    with IsocostServer(listen=("unix",)) as server:
        assert server.socket.stat().st_mode & 0o777 == 0o600
        server.kill()
        assert server.socket.exists()
        server.start()
        health_pb2_grpc.HealthStub(server.channel()).Check(
            health_pb2.HealthCheckRequest(), timeout=10)
        assert server.stop() == 0
        assert not server.socket.exists()


def test_missing_programs_and_files_are_said_clearly(tmp_path):
    assert "--solver" in start_failure(tmp_path, "--solver", str(tmp_path / "none"))
    assert "--config" in start_failure(tmp_path, "--config", str(tmp_path / "none.yaml"))


def test_second_signal_ends_at_once():
    with IsocostServer("--solver", str(FAKE_SOLVER), "--drain-seconds", "60") as server:
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        running = plans.SolvePlan.future(solve(part("improve", 60)), timeout=60)
        time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping")
        server.process.send_signal(signal.SIGTERM)
        assert server.wait(20) == 1
        running.cancel()
