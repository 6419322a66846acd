/* Lets a request pass only when it carries the header `allow: true`; answers 403 otherwise.
 *
 * Freestanding C against the ABI itself, so everything an SDK usually hides is in view: the version marker, the
 * allocator the host calls, the serialized header list.
 */
#include "proxy_wasm.h"

/* --- memory ------------------------------------------------------------------------------------------------------ */

extern unsigned char __heap_base; /* where the linker stopped: the rest of the memory is free */
static unsigned char *heap;

enum { PAGE = 65536, ALIGNMENT = 8 };

/* The host calls this from inside proxy_get_header_map_value to place the value. A bump allocator is enough, because
 * nothing outlives a callback: `heap` goes back to where it was when the callback ends. */
EXPORT(malloc)
void *malloc(size_t size)
{
    unsigned char *block = heap ? heap : &__heap_base;
    uintptr_t end = ((uintptr_t)block + size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    size_t memory = __builtin_wasm_memory_size(0) * PAGE;

    if (end > memory && __builtin_wasm_memory_grow(0, (end - memory + PAGE - 1) / PAGE) == (size_t)-1)
        return NULL;
    heap = (unsigned char *)end;
    return block;
}

/* --- text -------------------------------------------------------------------------------------------------------- */

static char *append(char *at, const char *text)
{
    while (*text)
        *at++ = *text++;
    return at;
}

static char *append_number(char *at, uint32_t number)
{
    if (number >= 10)
        at = append_number(at, number / 10);
    *at++ = (char)('0' + number % 10);
    return at;
}

static bool equals(const char *value, size_t size, const char *text)
{
    size_t i = 0;

    while (i < size && text[i] && value[i] == text[i])
        i++;
    return i == size && !text[i];
}

/* Write "#2 wasm-c: on_http_request_headers" and the like to the host's log. */
static void log_info(uint32_t context_id, const char *text)
{
    char line[128];
    char *end = append(line, "#");

    end = append_number(end, context_id);
    end = append(end, " wasm-c: ");
    end = append(end, text);
    proxy_log(LOG_INFO, line, (size_t)(end - line));
}

/* --- the plugin -------------------------------------------------------------------------------------------------- */

static bool allowed(void)
{
    static const char name[] = "allow";
    char *value = NULL;
    size_t size = 0;

    return proxy_get_header_map_value(MAP_REQUEST_HEADERS, name, sizeof name - 1, &value, &size) == STATUS_OK
        && equals(value, size, "true");
}

static void forbid(void)
{
    static const char body[] = "Forbidden by ASM Wasm Plugin, c version\n";
    static const struct {
        uint32_t count, name_size, value_size;
        char name[sizeof "Content-Type"], value[sizeof "text/plain"];
    } headers = {
        .count = 1,
        .name_size = sizeof headers.name - 1,
        .value_size = sizeof headers.value - 1,
        .name = "Content-Type",
        .value = "text/plain",
    };
    const size_t headers_size = offsetof(__typeof__(headers), value) + sizeof headers.value; /* without padding */

    proxy_send_local_response(403, NULL, 0, body, sizeof body - 1, (const char *)&headers, headers_size,
                              GRPC_STATUS_NOT_SET);
}

/* In ABI 0.1.0 this callback has no `end_of_stream` yet. */
EXPORT(proxy_on_request_headers)
enum action proxy_on_request_headers(uint32_t context_id, uint32_t num_headers)
{
    unsigned char *before = heap;
    enum action action = ACTION_CONTINUE;

    (void)num_headers;
    log_info(context_id, "on_http_request_headers");
    if (!allowed()) {
        log_info(context_id, "allow header not found or is not true, deny by default");
        forbid();
        action = ACTION_PAUSE;
    }
    heap = before;
    return action;
}

/* Never called: the host only looks which of these names a module exports. */
EXPORT(proxy_abi_version_0_1_0)
void proxy_abi_version_0_1_0(void)
{
}
