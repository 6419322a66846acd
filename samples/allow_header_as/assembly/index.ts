// Lets a request pass only when it carries the header `allow: true`; answers 403 otherwise.

// The callbacks the host looks for. The SDK implements them, and finds our classes through the root context.
export * from "@solo-io/proxy-runtime/proxy";
import {
  Context,
  FilterHeadersStatusValues,
  GrpcStatusValues,
  HeaderPair,
  LogLevelValues,
  RootContext,
  log,
  registerRootContext,
  send_local_response,
  stream_context,
} from "@solo-io/proxy-runtime";

// -1, "not a gRPC answer", is not among the SDK's names.
const NOT_GRPC: GrpcStatusValues = -1;

class HttpHeadersRoot extends RootContext {
  createContext(context_id: u32): Context {
    return new HttpHeaders(context_id, this);
  }
}

class HttpHeaders extends Context {
  onRequestHeaders(_num_headers: u32, _end_of_stream: bool): FilterHeadersStatusValues {
    this.info("on_http_request_headers");

    if (stream_context.headers.request.get("allow") == "true") {
      return FilterHeadersStatusValues.Continue;
    }
    this.info("allow header not found or is not true, deny by default");
    send_local_response(
      403,
      "",
      String.UTF8.encode("Forbidden by ASM Wasm Plugin, assemblyscript version\n"),
      [header("Content-Type", "text/plain")],
      NOT_GRPC,
    );
    return FilterHeadersStatusValues.StopIteration;
  }

  private info(text: string): void {
    log(LogLevelValues.info, "#" + this.context_id.toString() + " wasm-as: " + text);
  }
}

function header(name: string, value: string): HeaderPair {
  return new HeaderPair(String.UTF8.encode(name), String.UTF8.encode(value));
}

// With this SDK the name has to be the host's root id, which is empty unless configured.
registerRootContext((context_id: u32) => new HttpHeadersRoot(context_id), "");
