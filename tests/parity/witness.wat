;; A plugin that shows Envoy's behaviour by the crossings it makes. A request header decides what it does:
;;   deny: 403 with a header and a body     boom: trap     call: ask the cluster "auth" before going on
;; Bodies are held back until their end, so that a callback's size is what is buffered so far.
(module
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (import "env" "proxy_get_header_map_value" (func $header (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_send_local_response"
    (func $respond (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_http_call" (func $call (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_set_effective_context" (func $become (param i32) (result i32)))
  (import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))

  (memory (export "memory") 1)
  (data (i32.const 100) "deny")
  (data (i32.const 110) "boom")
  (data (i32.const 120) "call")
  (data (i32.const 130) "auth")
  (data (i32.const 140) "two\nlines | \"quoted\"")
  (data (i32.const 200) "Forbidden")
  (data (i32.const 220) "\01\00\00\00\06\00\00\00\02\00\00\00X-From\00me\00")
  (data (i32.const 300) "\03\00\00\00\07\00\00\00\03\00\00\00\05\00\00\00\06\00\00\00\0a\00\00\00\04\00\00\00")
  (data (i32.const 328) ":method\00GET\00:path\00/check\00:authority\00auth\00")

  (global $stream (mut i32) (i32.const 0))

  (func (export "proxy_abi_version_0_2_1"))
  (func (export "_initialize"))
  (func (export "malloc") (param $size i32) (result i32) (i32.const 4096))
  (func (export "proxy_on_context_create") (param i32 i32))

  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (drop (call $log (i32.const 1) (i32.const 130) (i32.const 4)))
    (i32.const 1))

  (func $has (param $name i32) (result i32)
    (i32.eqz (call $header (i32.const 0) (local.get $name) (i32.const 4) (i32.const 2000) (i32.const 2004))))

  (func (export "proxy_on_request_headers") (param $id i32) (param i32 i32) (result i32)
    (drop (call $log (i32.const 2) (i32.const 140) (i32.const 20)))
    (if (call $has (i32.const 100)) (then
      (drop (call $respond (i32.const 403) (i32.const 0) (i32.const 0) (i32.const 200) (i32.const 9)
        (i32.const 220) (i32.const 22) (i32.const -1)))
      (return (i32.const 1))))
    (if (call $has (i32.const 110)) (then unreachable))
    (if (call $has (i32.const 120)) (then
      (global.set $stream (local.get $id))
      (drop (call $call (i32.const 130) (i32.const 4) (i32.const 300) (i32.const 69)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1000) (i32.const 2000)))
      (return (i32.const 1))))
    (i32.const 0))

  (func (export "proxy_on_request_body") (param i32 i32) (param $end i32) (result i32)
    (i32.eqz (local.get $end)))
  (func (export "proxy_on_request_trailers") (param i32 i32) (result i32) (i32.const 0))
  (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) (i32.const 0))
  (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32) (i32.const 0))
  (func (export "proxy_on_response_trailers") (param i32 i32) (result i32) (i32.const 0))

  (func (export "proxy_on_http_call_response") (param i32 i32 i32 i32 i32)
    (drop (call $become (global.get $stream)))
    (drop (call $continue (i32.const 0))))

  (func (export "proxy_on_done") (param i32) (result i32) (i32.const 1))
  (func (export "proxy_on_log") (param i32))
  (func (export "proxy_on_delete") (param i32))
)
