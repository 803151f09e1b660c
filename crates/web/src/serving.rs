//! Connections of clients: taken, served and ended. The idea: whoever is slow holds one connection
//! and no more: a head that does not come, an answer that nobody takes, and the end of the server
//! each have their time.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use domain::metric;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::{Service, ServiceExt};

use crate::limits::Limits;

/// How long nobody is let in when the machine has no room for a connection.
const FULL: Duration = Duration::from_millis(100);

/// How the connections of a server end.
#[derive(Clone)]
struct Ends {
    /// No further request.
    stop: CancellationToken,
    /// At once.
    cut: CancellationToken,
}

/// Serves until `stop` fires. Requests under way have the time of `limits.stop` then; what is not
/// answered by then is cut off.
pub async fn serve<S>(listener: TcpListener, app: S, limits: Limits, stop: CancellationToken)
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let places = Arc::new(Semaphore::new(limits.connections));
    let open = TaskTracker::new();
    let ends = Ends {
        stop: stop.clone(),
        cut: CancellationToken::new(),
    };
    loop {
        let place = tokio::select! {
            () = stop.cancelled() => break,
            place = places.clone().acquire_owned() => place,
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let one = connection(stream, peer, app.clone(), limits, ends.clone());
                open.spawn(async move {
                    let gauge = metrics::gauge!(metric::CONNECTIONS.name);
                    gauge.increment(1.0);
                    one.await;
                    gauge.decrement(1.0);
                    drop(place);
                });
            }
            Err(error) if is_theirs(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(FULL).await;
            }
        }
    }
    drop(listener);
    open.close();
    if tokio::time::timeout(limits.stop, open.wait())
        .await
        .is_err()
    {
        tracing::warn!(open = open.len(), "connections are cut off");
        ends.cut.cancel();
        open.wait().await;
    }
}

/// The client went away before it was let in.
fn is_theirs(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

async fn connection<S>(stream: TcpStream, peer: SocketAddr, app: S, limits: Limits, ends: Ends)
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let _ = stream.set_nodelay(true); // answers are whole: nothing to wait for
    let mut stream = TimeoutStream::new(stream);
    // Only when something waits to be written: a live stream may be quiet for hours.
    stream.set_write_timeout(Some(limits.stall));
    let app = app.map_request(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head);
    let io = TokioIo::new(Box::pin(stream));
    let served = http.serve_connection(io, TowerToHyperService::new(app));
    let mut served = std::pin::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = ends.cut.cancelled() => return,
        () = ends.stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            tokio::select! {
                ended = served => ended,
                () = ends.cut.cancelled() => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}
