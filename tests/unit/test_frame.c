/* Frames over a socketpair: whole, in pieces, with a descriptor, and broken. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "isocost/proto/frame.h"
#include "isocost/v1/plan_service.pb-c.h"

struct pair {
    int fds[2];
    struct iso_frame_writer *writer; /* on fds[0] */
    struct iso_frame_reader *reader; /* on fds[1] */
};

static void open_pair(struct pair *pair, int flags)
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0, pair->fds), 0);
    pair->writer = iso_frame_writer_new(pair->fds[0]);
    pair->reader = iso_frame_reader_new(pair->fds[1], 1u << 20);
    assert_non_null(pair->writer);
    assert_non_null(pair->reader);
}

static void close_pair(struct pair *pair)
{
    iso_frame_writer_free(pair->writer);
    iso_frame_reader_free(pair->reader);
    for (int i = 0; i < 2; i++)
        if (pair->fds[i] >= 0)
            close(pair->fds[i]);
}

/* Queues an UploadModelRequest with n bytes. */
static void queue(struct pair *pair, uint32_t type, uint64_t id, size_t n, int pass_fd)
{
    Isocost__V1__UploadModelRequest request = ISOCOST__V1__UPLOAD_MODEL_REQUEST__INIT;
    ISO_AUTO_MEM unsigned char *bytes = iso_calloc(n, 1);

    memset(bytes, 'x', n);
    request.chunk = (ProtobufCBinaryData){.data = bytes, .len = n};
    assert_int_equal(iso_frame_write(pair->writer, type, id, &request.base, pass_fd, NULL), ISO_OK);
}

static int n_open_descriptors(void)
{
    int n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void frames_arrive_whole_and_in_order(void **state)
{
    (void)state;
    struct pair pair;
    struct iso_frame frame;
    bool ready, empty;

    open_pair(&pair, SOCK_NONBLOCK);
    assert_int_equal(iso_frame_read(pair.reader, &frame, &ready, NULL), ISO_OK);
    assert_false(ready);

    queue(&pair, 7, UINT64_C(0x123456789ABCDEF0), 100, -1);
    assert_int_equal(iso_frame_write(pair.writer, 8, 2, NULL, -1, NULL), ISO_OK);
    assert_int_equal(iso_frame_flush(pair.writer, &empty, NULL), ISO_OK);
    assert_true(empty);

    assert_int_equal(iso_frame_read(pair.reader, &frame, &ready, NULL), ISO_OK);
    assert_true(ready);
    assert_int_equal(frame.type, 7);
    assert_true(frame.request_id == UINT64_C(0x123456789ABCDEF0));
    assert_int_equal(frame.n_bytes, 102); /* tag, length, 100 bytes */
    assert_int_equal(frame.payload[101], 'x');
    assert_int_equal(frame.passed_fd, -1);

    assert_int_equal(iso_frame_read(pair.reader, &frame, &ready, NULL), ISO_OK);
    assert_true(ready);
    assert_int_equal(frame.type, 8);
    assert_int_equal(frame.n_bytes, 0);
    close_pair(&pair);
}

static void a_full_socket_keeps_the_rest_for_later(void **state)
{
    (void)state;
    struct pair pair;
    struct iso_frame frame;
    bool ready, empty = true;
    int n_read = 0;

    open_pair(&pair, SOCK_NONBLOCK);
    for (int i = 0; i < 20; i++)
        queue(&pair, 1, (uint64_t)i, 100000, -1);
    assert_int_equal(iso_frame_flush(pair.writer, &empty, NULL), ISO_OK);
    assert_false(empty);
    assert_true(iso_frame_pending(pair.writer) > 0);
    while (n_read < 20) {
        assert_int_equal(iso_frame_flush(pair.writer, &empty, NULL), ISO_OK);
        assert_int_equal(iso_frame_read(pair.reader, &frame, &ready, NULL), ISO_OK);
        if (!ready)
            continue;
        assert_int_equal(frame.request_id, n_read);
        n_read++;
    }
    assert_int_equal(iso_frame_pending(pair.writer), 0);
    close_pair(&pair);
}

static void *flush_in_thread(void *argument)
{
    bool empty = false;

    iso_frame_flush(argument, &empty, NULL);
    return empty ? argument : NULL;
}

static void a_blocking_socket_sends_everything(void **state)
{
    (void)state;
    struct pair pair;
    struct iso_frame frame;
    bool ready;
    pthread_t thread;
    void *result;

    open_pair(&pair, 0);
    for (int i = 0; i < 10; i++)
        queue(&pair, 1, (uint64_t)i, 200000, -1);
    assert_int_equal(pthread_create(&thread, NULL, flush_in_thread, pair.writer), 0);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(iso_frame_read(pair.reader, &frame, &ready, NULL), ISO_OK);
        assert_true(ready);
        assert_int_equal(frame.request_id, i);
    }
    pthread_join(thread, &result);
    assert_ptr_equal(result, pair.writer);
    close_pair(&pair);
}

static void a_descriptor_travels_with_its_own_frame(void **state)
{
    (void)state;
    int before = n_open_descriptors();
    struct pair pair;
    struct iso_frame frame;
    bool ready, empty;
    int pipe_fds[2];

    open_pair(&pair, SOCK_NONBLOCK);
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    queue(&pair, 1, 1, 5, -1);
    queue(&pair, 2, 2, 5, pipe_fds[1]);
    queue(&pair, 3, 3, 5, -1);
    close(pipe_fds[1]); /* the writer has its own */
    assert_int_equal(iso_frame_flush(pair.writer, &empty, NULL), ISO_OK);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(iso_frame_read(pair.reader, &frame, &ready, NULL), ISO_OK);
        assert_true(ready);
        assert_int_equal(frame.type, i);
        assert_int_equal(frame.passed_fd >= 0, i == 2);
        if (i == 2) {
            char text[3] = "";
            assert_true(fcntl(frame.passed_fd, F_GETFD) & FD_CLOEXEC);
            assert_int_equal(write(frame.passed_fd, "ok", 2), 2);
            assert_int_equal(read(pipe_fds[0], text, 2), 2);
            assert_string_equal(text, "ok");
            close(frame.passed_fd);
        }
    }
    close(pipe_fds[0]);
    close_pair(&pair);
    assert_int_equal(n_open_descriptors(), before);
}

static void descriptors_nobody_took_are_closed(void **state)
{
    (void)state;
    int before = n_open_descriptors();
    struct pair pair;
    struct iso_frame frame;
    bool ready, empty;

    open_pair(&pair, SOCK_NONBLOCK);
    queue(&pair, 1, 1, 400000, pair.fds[0]); /* arrives in part */
    queue(&pair, 1, 2, 5, pair.fds[0]);      /* is never sent */
    assert_int_equal(iso_frame_flush(pair.writer, &empty, NULL), ISO_OK);
    assert_false(empty);
    assert_int_equal(iso_frame_read(pair.reader, &frame, &ready, NULL), ISO_OK);
    assert_false(ready);
    close_pair(&pair);
    assert_int_equal(n_open_descriptors(), before);
}

static void a_closed_peer_is_unavailable(void **state)
{
    (void)state;
    struct pair pair;
    struct iso_frame frame;
    struct iso_error error = {0};
    bool ready, empty;

    open_pair(&pair, 0);
    close(pair.fds[1]);
    pair.fds[1] = -1;
    queue(&pair, 1, 1, 5, -1);
    assert_int_equal(iso_frame_flush(pair.writer, &empty, &error), ISO_E_UNAVAILABLE);
    close_pair(&pair);

    open_pair(&pair, 0);
    assert_int_equal(write(pair.fds[0], "ISO1", 4), 4);
    close(pair.fds[0]);
    pair.fds[0] = -1;
    error = (struct iso_error){0};
    assert_int_equal(iso_frame_read(pair.reader, &frame, &ready, &error), ISO_E_UNAVAILABLE);
    assert_non_null(strstr(error.text, "middle of a frame"));
    assert_int_equal(iso_frame_read(pair.reader, &frame, &ready, NULL), ISO_E_UNAVAILABLE);
    close_pair(&pair);
}

/* The header of an empty frame of type 1 and request 0; its crc32 is that of the bytes
 * 01 and eleven 00, 0xE0708A00 by Python's zlib.crc32(b"\x01" + 11 * b"\0"). */
static const unsigned char empty_frame[ISO_FRAME_HEADER_BYTES] = {
    'I', 'S', 'O', '1', 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x8A, 0x70, 0xE0};

static enum iso_status read_changed(int place, unsigned char value, struct iso_error *ret_error)
{
    struct pair pair;
    struct iso_frame frame;
    unsigned char bytes[sizeof(empty_frame)];
    bool ready = false;

    open_pair(&pair, 0);
    memcpy(bytes, empty_frame, sizeof(bytes));
    if (place >= 0)
        bytes[place] = value;
    assert_int_equal(write(pair.fds[0], bytes, sizeof(bytes)), sizeof(bytes));
    *ret_error = (struct iso_error){0};
    enum iso_status status = iso_frame_read(pair.reader, &frame, &ready, ret_error);
    close_pair(&pair);
    return status;
}

static void a_broken_header_is_invalid(void **state)
{
    (void)state;
    struct iso_error error;

    assert_int_equal(read_changed(-1, 0, &error), ISO_OK);
    assert_int_equal(read_changed(0, 'X', &error), ISO_E_INVALID);
    assert_non_null(strstr(error.text, "magic"));
    assert_int_equal(read_changed(7, 1, &error), ISO_E_INVALID); /* 16 MiB announced */
    assert_non_null(strstr(error.text, "16777216 bytes; at most 1048576"));
    assert_int_equal(read_changed(8, 2, &error), ISO_E_INVALID);
    assert_non_null(strstr(error.text, "checksum"));
    assert_int_equal(read_changed(20, 1, &error), ISO_E_INVALID);
}

static void failed_allocations_are_reported_and_leak_nothing(void **state)
{
    (void)state;
    struct pair pair;
    struct iso_frame frame;
    bool ready, empty;

    iso_alloc_fail_at(0);
    assert_null(iso_frame_writer_new(0));
    iso_alloc_fail_at(0);
    assert_null(iso_frame_reader_new(0, 10));

    open_pair(&pair, 0);
    iso_alloc_fail_at(0);
    assert_int_equal(iso_frame_write(pair.writer, 1, 1, NULL, -1, NULL), ISO_E_NOMEM);
    queue(&pair, 1, 1, 5, -1);
    assert_int_equal(iso_frame_flush(pair.writer, &empty, NULL), ISO_OK);
    iso_alloc_fail_at(0);
    assert_int_equal(iso_frame_read(pair.reader, &frame, &ready, NULL), ISO_E_NOMEM);
    iso_alloc_fail_at(-1);
    assert_int_equal(iso_frame_read(pair.reader, &frame, &ready, NULL), ISO_OK);
    assert_true(ready);
    close_pair(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_arrive_whole_and_in_order),
        cmocka_unit_test(a_full_socket_keeps_the_rest_for_later),
        cmocka_unit_test(a_blocking_socket_sends_everything),
        cmocka_unit_test(a_descriptor_travels_with_its_own_frame),
        cmocka_unit_test(descriptors_nobody_took_are_closed),
        cmocka_unit_test(a_closed_peer_is_unavailable),
        cmocka_unit_test(a_broken_header_is_invalid),
        cmocka_unit_test(failed_allocations_are_reported_and_leak_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
