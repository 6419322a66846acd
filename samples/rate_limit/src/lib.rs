//! Lets every client make so many requests a second and answers 429 to the rest.
//!
//! Configuration: `{"limit": 3}`, which is also the default. A client is known by its `x-client` header, or else by its
//! address. Envoy runs one copy of this plugin on each worker thread; they count together through shared data, where a
//! write succeeds only if nobody else wrote in between (compare and swap). The host never forgets a key, so this
//! suits a limited set of clients.

use log::{debug, error, info};
use proxy_wasm::hostcalls::{define_metric, increment_metric, record_metric};
use proxy_wasm::traits::*;
use proxy_wasm::types::*;
use serde::Deserialize;
use std::rc::Rc;
use std::str::FromStr;
use std::time::{Duration, UNIX_EPOCH};

const WINDOW: Duration = Duration::from_secs(1);
/// When a tick begins the next window. A little less than a window, because ticks are not exact.
const WINDOW_IS_OVER: Duration = Duration::from_millis(900);
const WINDOW_KEY: &str = "rate_limit.window";

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(RateLimitRoot::default()) });
}}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    limit: u32,
}

impl Default for Config {
    fn default() -> Self {
        Config { limit: 3 }
    }
}

/// Ids of the metrics; the host keeps the numbers, for all worker threads together.
struct Metrics {
    allowed: u32,
    rejected: u32,
    /// A gauge: the requests of the current window.
    in_window: u32,
}

impl Metrics {
    fn define() -> Result<Self, Status> {
        Ok(Metrics {
            allowed: define_metric(MetricType::Counter, "rate_limit.allowed")?,
            rejected: define_metric(MetricType::Counter, "rate_limit.rejected")?,
            in_window: define_metric(MetricType::Gauge, "rate_limit.in_window")?,
        })
    }
}

struct Settings {
    config: Config,
    metrics: Metrics,
}

#[derive(Default)]
struct RateLimitRoot {
    settings: Option<Rc<Settings>>, // none until configured
}

impl Context for RateLimitRoot {}

impl RootContext for RateLimitRoot {
    fn on_configure(&mut self, _plugin_configuration_size: usize) -> bool {
        // Without a configuration the defaults hold.
        let config = match self.get_plugin_configuration() {
            None => Config::default(),
            Some(configuration) => match serde_json::from_slice(&configuration) {
                Ok(config) => config,
                Err(reason) => {
                    error!("invalid configuration: {}", reason);
                    return false;
                }
            },
        };
        let metrics = match Metrics::define() {
            Ok(metrics) => metrics,
            Err(status) => {
                error!("cannot define the metrics: {:?}", status);
                return false;
            }
        };
        self.settings = Some(Rc::new(Settings { config, metrics }));
        self.set_tick_period(WINDOW);
        true
    }

    /// Begin the next window. All threads tick, but only the first may do it: the others find a window that is not over
    /// yet, or lose the race to write.
    fn on_tick(&mut self) {
        let now = self.get_current_time().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (window, cas) = self.get_shared_data(WINDOW_KEY);
        let began = Duration::from_millis(window.and_then(|text| number(&text)).unwrap_or(0));
        if now.saturating_sub(began) < WINDOW_IS_OVER {
            return;
        }
        let next = now.as_millis().to_string();
        if self.set_shared_data(WINDOW_KEY, Some(next.as_bytes()), cas).is_ok() {
            debug!("window {} begins", next);
            if let Some(settings) = &self.settings {
                report(record_metric(settings.metrics.in_window, 0));
            }
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        let settings = Rc::clone(self.settings.as_ref()?);
        Some(Box::new(RateLimit { settings }))
    }
}

struct RateLimit {
    settings: Rc<Settings>,
}

impl Context for RateLimit {}

impl HttpContext for RateLimit {
    fn on_http_request_headers(&mut self, _num_headers: usize, _end_of_stream: bool) -> Action {
        let Settings { config, metrics } = self.settings.as_ref();
        let client = self.client();

        report(increment_metric(metrics.in_window, 1));
        if self.take(&client, config.limit) {
            report(increment_metric(metrics.allowed, 1));
            Action::Continue
        } else {
            info!("{} made more than {} requests in this window", client, config.limit);
            report(increment_metric(metrics.rejected, 1));
            self.send_http_response(429, vec![("retry-after", "1")], Some(b"Too many requests\n"));
            Action::Pause
        }
    }
}

impl RateLimit {
    /// Who is asking: the `x-client` header, else the address without its port.
    fn client(&self) -> String {
        if let Some(client) = self.get_http_request_header("x-client") {
            return client;
        }
        let address = self.get_property(vec!["source", "address"]).unwrap_or_default();
        let address = String::from_utf8_lossy(&address);
        match address.rsplit_once(':') {
            Some((host, _port)) => host.to_string(),
            None => address.into_owned(),
        }
    }

    /// Count one more request of `client`, unless it has had its `limit` in this window.
    fn take(&self, client: &str, limit: u32) -> bool {
        let (window, _) = self.get_shared_data(WINDOW_KEY);
        let window = window.unwrap_or_default();
        let key = format!("rate_limit.client.{client}");
        loop {
            let (used, cas) = self.get_shared_data(&key);
            let used = used.and_then(|used| used_in(&window, &used)).unwrap_or(0);
            if used >= limit {
                return false;
            }
            let one_more = [&window, &b" "[..], (used + 1).to_string().as_bytes()].concat();
            // `cas` is none only for a client's first request ever; such a write always succeeds.
            match self.set_shared_data(&key, Some(&one_more), cas) {
                Ok(()) => return true,
                Err(_) => debug!("another thread counted for {} first: once more", client),
            }
        }
    }
}

/// The count in "WINDOW COUNT", if it is of this window.
fn used_in(window: &[u8], text: &[u8]) -> Option<u32> {
    number(text.strip_prefix(window)?.strip_prefix(b" ")?)
}

fn number<N: FromStr>(text: &[u8]) -> Option<N> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A metric that cannot be written is worth a line in the log, not a failed request.
fn report(outcome: Result<(), Status>) {
    if let Err(status) = outcome {
        error!("cannot write a metric: {:?}", status);
    }
}
