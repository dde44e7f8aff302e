/* struct iso_call without an RPC library: handlers are called directly, answers are kept. */
#ifndef ISOCOST_TEST_FAKE_CALL_H
#define ISOCOST_TEST_FAKE_CALL_H

#include "call.h"

struct iso_call *fake_call_new(const ProtobufCMessageDescriptor *response);
/* Tenant of calls made from now on; at first "default". */
void fake_call_set_tenant(const char *tenant);
/* Sets the request of the next run of a handler; NULL = the end of a client stream. */
void fake_call_set_request(struct iso_call *call, const ProtobufCMessage *request);
/* Waits for the end of the call. */
void fake_call_wait(struct iso_call *call);
/* The last message sent, or NULL; lives as long as the call. */
ProtobufCMessage *fake_call_answer(struct iso_call *call);
const struct iso_error *fake_call_error(struct iso_call *call); /* status ISO_OK = ended well */
int fake_call_n_messages(struct iso_call *call);
void fake_call_cancel(struct iso_call *call);

#endif
