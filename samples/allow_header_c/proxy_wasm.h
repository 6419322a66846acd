/* The few lines of the Proxy-Wasm ABI 0.1.0 this plugin needs, written down by hand: no SDK behind it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name)))
#define IMPORT(name) __attribute__((import_module("env"), import_name(#name)))

enum log_level { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_CRITICAL };
enum action { ACTION_CONTINUE, ACTION_PAUSE };
enum map_type { MAP_REQUEST_HEADERS, MAP_REQUEST_TRAILERS, MAP_RESPONSE_HEADERS, MAP_RESPONSE_TRAILERS };
enum status { STATUS_OK, STATUS_NOT_FOUND, STATUS_BAD_ARGUMENT };

enum { GRPC_STATUS_NOT_SET = -1 };

IMPORT(proxy_log)
enum status proxy_log(enum log_level level, const char *message, size_t size);

/* A value is a block from our malloc, which is ours to free; an absent or empty one is NULL. */
IMPORT(proxy_get_header_map_value)
enum status proxy_get_header_map_value(enum map_type map, const char *key, size_t key_size,
                                       char **value, size_t *value_size);

/* `headers` is a serialized list: count, then the two sizes of every pair, then "name\0value\0" of every pair. */
IMPORT(proxy_send_local_response)
enum status proxy_send_local_response(uint32_t status_code, const char *details, size_t details_size,
                                      const char *body, size_t body_size,
                                      const char *headers, size_t headers_size, int32_t grpc_status);
