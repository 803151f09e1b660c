//! How buckets are reached: by the client that refuses where this server must not send requests.

use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};

/// Has a storage's requests judged, and sends those that pass.
#[derive(Clone, Debug)]
pub(crate) struct Guarded(pub outgoing::Client);

impl HttpConnector for Guarded {
    /// The client's own settings hold, not the storage's.
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait::async_trait]
impl HttpService for Guarded {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let refused = self.0.check(&request.uri().to_string());
        refused.map_err(|why| HttpError::new(HttpErrorKind::Unknown, why))?;
        self.0.bare().call(request).await
    }
}
