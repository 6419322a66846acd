//! Asks an auth service about every request, over gRPC (see `auth.proto`), and lets pass what it answers with OK.
//!
//! The plugin configuration names the cluster of the service: `{"cluster": "grpc-auth"}`, which is also the default.
//!
//! Careful with other names: Envoy first tries to read the name as a serialized `GrpcService`, and Envoy 1.40 aborts
//! when that succeeds by chance, as it does for `auth-grpc`. A name that begins with `g` cannot be misread.

use log::{error, info};
use proxy_wasm::traits::*;
use proxy_wasm::types::*;
use serde::Deserialize;
use std::rc::Rc;
use std::time::Duration;

const SERVICE: &str = "auth.v1.Auth";
const METHOD: &str = "Check";
const TIMEOUT: Duration = Duration::from_secs(1);
const GRPC_OK: u32 = 0;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(GrpcAuthRoot::default()) });
}}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    cluster: String,
}

impl Default for Config {
    fn default() -> Self {
        Config { cluster: "grpc-auth".to_string() }
    }
}

#[derive(Default)]
struct GrpcAuthRoot {
    config: Rc<Config>,
}

impl Context for GrpcAuthRoot {}

impl RootContext for GrpcAuthRoot {
    fn on_configure(&mut self, _plugin_configuration_size: usize) -> bool {
        // Without a configuration the defaults hold.
        if let Some(configuration) = self.get_plugin_configuration() {
            match serde_json::from_slice(&configuration) {
                Ok(config) => self.config = Rc::new(config),
                Err(reason) => {
                    error!("invalid configuration: {}", reason);
                    return false;
                }
            }
        }
        true
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(GrpcAuth { config: Rc::clone(&self.config) }))
    }
}

struct GrpcAuth {
    config: Rc<Config>,
}

impl HttpContext for GrpcAuth {
    fn on_http_request_headers(&mut self, _num_headers: usize, _end_of_stream: bool) -> Action {
        let cluster = &self.config.cluster;
        let message = self.check_request();

        let call = self.dispatch_grpc_call(cluster, SERVICE, METHOD, vec![], Some(&message), TIMEOUT);
        if let Err(status) = call {
            error!("cannot ask {}: {:?}", cluster, status);
            self.send_http_response(503, vec![], Some(b"No auth service\n"));
        }
        Action::Pause // until the answer is there, or for good when there is nobody to ask
    }
}

impl Context for GrpcAuth {
    fn on_grpc_call_response(&mut self, _token_id: u32, status_code: u32, _response_size: usize) {
        info!("{} answered gRPC status {}", self.config.cluster, status_code);
        if status_code == GRPC_OK {
            self.resume_http_request();
        } else {
            self.send_http_response(403, vec![], Some(b"Forbidden\n"));
        }
    }
}

impl GrpcAuth {
    /// An encoded `CheckRequest`.
    fn check_request(&self) -> Vec<u8> {
        let mut message = Vec::new();
        for (number, header) in [(1, ":method"), (2, ":path"), (3, "authorization")] {
            if let Some(value) = self.get_http_request_header(header) {
                push_string(&mut message, number, &value);
            }
        }
        message
    }
}

/// Append a protobuf string field: tag, length, bytes.
fn push_string(message: &mut Vec<u8>, number: u8, value: &str) {
    const LENGTH_DELIMITED: u8 = 2;
    message.push(number << 3 | LENGTH_DELIMITED);
    let mut length = value.len();
    while length > 0x7f {
        message.push(length as u8 & 0x7f | 0x80); // seven bits a byte, lowest first; the top bit says "more follows"
        length >>= 7;
    }
    message.push(length as u8);
    message.extend_from_slice(value.as_bytes());
}
