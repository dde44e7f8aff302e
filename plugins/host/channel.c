#include "channel.h"

#include <poll.h>
#include <stdio.h>

enum iso_status iso_channel_init(struct iso_channel *channel, int fd, struct iso_error *reterr)
{
    channel->fd = fd;
    channel->request_id = 0;
    channel->reader = iso_frame_reader_new(fd, ISO_CHANNEL_REQUEST_BYTES);
    channel->writer = iso_frame_writer_new(fd);
    if (!channel->reader || !channel->writer)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a connection");
    return ISO_OK;
}

void iso_channel_fini(struct iso_channel *channel)
{
    iso_frame_reader_free(channel->reader);
    iso_frame_writer_free(channel->writer);
}

enum iso_status iso_channel_receive(struct iso_channel *channel,
                                    Isocost__Internal__V1__HostRequest **ret_request,
                                    struct iso_error *reterr)
{
    struct iso_frame frame;
    bool ready = false;

    ISO_TRY(iso_frame_read(channel->reader, &frame, &ready, reterr));
    if (!ready)
        return iso_fail(reterr, ISO_E_IO, "",
                        "the socket does not block; the host needs one that "
                        "does");
    channel->request_id = frame.request_id;
    if (frame.type != ISO_CHANNEL_REQUEST)
        return iso_fail(reterr, ISO_E_INVALID, "", "a frame of type %u; requests have type %u",
                        frame.type, ISO_CHANNEL_REQUEST);

    Isocost__Internal__V1__HostRequest *request =
        isocost__internal__v1__host_request__unpack(NULL, frame.n_bytes, frame.payload);
    if (!request)
        return iso_fail(reterr, ISO_E_INVALID, "", "a request that cannot be decoded");
    *ret_request = request;
    return ISO_OK;
}

enum iso_status iso_channel_send(struct iso_channel *channel,
                                 const Isocost__Internal__V1__HostEvent *event,
                                 struct iso_error *reterr)
{
    bool empty = false;

    ISO_TRY(iso_frame_write(channel->writer, ISO_CHANNEL_EVENT, channel->request_id, &event->base,
                            /* pass_fd= */ -1, reterr));
    ISO_TRY(iso_frame_flush(channel->writer, &empty, reterr));
    return empty ? ISO_OK : iso_fail(reterr, ISO_E_IO, "", "the socket does not block");
}

static Isocost__Internal__V1__FailureClass class_of(enum iso_status status, int32_t said)
{
    static const Isocost__Internal__V1__FailureClass of_said[] = {
        [ISO_FAILURE_RETRYABLE] = ISOCOST__INTERNAL__V1__FAILURE_CLASS__FAILURE_CLASS_RETRYABLE,
        [ISO_FAILURE_PERMANENT] = ISOCOST__INTERNAL__V1__FAILURE_CLASS__FAILURE_CLASS_PERMANENT,
        [ISO_FAILURE_AUTH] = ISOCOST__INTERNAL__V1__FAILURE_CLASS__FAILURE_CLASS_AUTH,
        [ISO_FAILURE_QUOTA] = ISOCOST__INTERNAL__V1__FAILURE_CLASS__FAILURE_CLASS_QUOTA,
    };

    if (said > ISO_FAILURE_BY_STATUS && said <= ISO_FAILURE_QUOTA)
        return of_said[said];
    switch (status) {
    case ISO_E_UNAVAILABLE:
    case ISO_E_DEADLINE:
    case ISO_E_IO:
    case ISO_E_NOMEM:
    case ISO_E_CANCELLED:
        return of_said[ISO_FAILURE_RETRYABLE];
    case ISO_E_UNAUTHENTICATED:
        return of_said[ISO_FAILURE_AUTH];
    default:
        return of_said[ISO_FAILURE_PERMANENT];
    }
}

enum iso_status iso_channel_fail(struct iso_channel *channel, const struct iso_error *error,
                                 const struct iso_failure *failure)
{
    static const struct iso_failure nothing;
    Isocost__Internal__V1__Failure message = ISOCOST__INTERNAL__V1__FAILURE__INIT;
    Isocost__Internal__V1__HostEvent event = ISOCOST__INTERNAL__V1__HOST_EVENT__INIT;
    char text[sizeof(error->field) + sizeof(error->text) + 2];
    char code[sizeof(nothing.provider_code)];

    if (!failure)
        failure = &nothing;
    const char *sentence = error->text[0] ? error->text : iso_status_text(error->status);
    snprintf(text, sizeof(text), "%s%s%s", error->field, error->field[0] ? ": " : "", sentence);
    memcpy(code, failure->provider_code, sizeof(code));
    code[sizeof(code) - 1] = '\0';
    message.message = text;
    message.provider_code = code;
    message.class_ = class_of(error->status, failure->failure_class);
    if (failure->retry_after_ms > 0)
        message.retry_after_seconds = (double)failure->retry_after_ms / 1000.0;
    event.event_case = ISOCOST__INTERNAL__V1__HOST_EVENT__EVENT_FAILURE;
    event.failure = &message;
    return iso_channel_send(channel, &event, /* reterr= */ NULL);
}

bool iso_channel_closed(const struct iso_channel *channel)
{
    struct pollfd poller = {.fd = channel->fd, .events = POLLRDHUP};

    return poll(&poller, 1, 0) > 0 && (poller.revents & (POLLRDHUP | POLLHUP | POLLERR));
}
