#![allow(clippy::unwrap_used)]
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;

const DEFAULT: Reach = Reach {
    link_local: false,
    private: true,
};

/// Every name leads to these addresses.
struct Leads(Vec<&'static str>);

impl Resolve for Leads {
    fn resolve(&self, _: Name) -> Resolving {
        let to: Vec<SocketAddr> = self
            .0
            .iter()
            .map(|ip| SocketAddr::new(ip.parse().unwrap(), 0))
            .collect();
        Box::pin(async move { Ok(Box::new(to.into_iter()) as Addrs) })
    }
}

fn client(reach: Reach, to: &[&'static str]) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().no_proxy();
    let names = Arc::new(Leads(to.to_vec()));
    Client::reaching(reach, names, builder, Redirects::Follow).unwrap()
}

/// The refusal with which a GET ends, in words.
async fn refusal(client: &Client, url: &str) -> Option<String> {
    let call = match client.get(url) {
        Ok(call) => call,
        Err(refused) => return Some(refused.to_string()),
    };
    let error = call.send().await.err()?;
    Refused::behind(&error).map(Refused::to_string)
}

#[test]
fn numbers_are_what_they_lead_to() {
    for (address, kind) in [
        ("169.254.0.1", Kind::LinkLocal),
        ("169.254.169.254", Kind::Metadata),
        ("fe80::1", Kind::LinkLocal),
        ("febf::1", Kind::LinkLocal),
        ("fd00:ec2::254", Kind::Metadata),
        ("fd20:ce::254", Kind::Metadata),
        ("100.100.100.200", Kind::Metadata),
        ("192.0.0.192", Kind::Metadata),
        ("168.63.129.16", Kind::Metadata),
        ("::ffff:169.254.169.254", Kind::Metadata),
        ("::169.254.169.254", Kind::Metadata),
        ("64:ff9b::169.254.169.254", Kind::Metadata),
        ("2002:a9fe:a9fe::1", Kind::Metadata),
        ("127.0.0.1", Kind::Loopback),
        ("0.0.0.0", Kind::Loopback),
        ("::", Kind::Loopback),
        ("::1", Kind::Loopback),
        ("::ffff:127.0.0.1", Kind::Loopback),
        ("10.1.2.3", Kind::Private),
        ("172.31.0.1", Kind::Private),
        ("192.168.1.1", Kind::Private),
        ("100.64.0.1", Kind::Private),
        ("fc00::1", Kind::Private),
        ("100.128.0.1", Kind::Public),
        ("192.0.2.1", Kind::Public),
        ("2001:db8::1", Kind::Public),
    ] {
        assert_eq!(address::kind(address.parse().unwrap()), kind, "{address}");
    }
}

#[tokio::test]
async fn what_is_written_as_a_number_is_judged() {
    let client = client(DEFAULT, &["192.0.2.1"]);
    for host in [
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "[::ffff:a9fe:a9fe]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "metadata.google.internal",
        "METADATA.google.internal.",
    ] {
        let words = refusal(&client, &format!("http://{host}/latest/")).await;
        let words = words.unwrap_or_else(|| panic!("{host} is not refused"));
        assert!(
            words.starts_with("this server sends no requests to "),
            "{words}"
        );
    }
    let words = refusal(&client, "http://169.254.169.254/").await;
    let told = "this server sends no requests to 169.254.169.254: it is the address of a cloud's \
                metadata service";
    assert_eq!(words.as_deref(), Some(told));
}

#[tokio::test]
async fn a_name_is_judged_by_what_it_leads_to() {
    let service = MockServer::start().await;
    let answer = ResponseTemplate::new(200);
    Mock::given(path("/"))
        .respond_with(answer)
        .mount(&service)
        .await;
    let url = format!("http://moths.example:{}/", service.address().port());
    let told = "this server sends no requests to moths.example: it leads to 169.254.169.254, the \
                address of a cloud's metadata service";
    let words = refusal(&client(DEFAULT, &["169.254.169.254"]), &url).await;
    assert_eq!(words.as_deref(), Some(told));
    // What else it leads to is used.
    let good = client(DEFAULT, &["169.254.169.254", "fe80::1", "127.0.0.1"]);
    let answer = good.get(&url).unwrap().send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(service.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn private_addresses_are_refused_where_that_is_set() {
    let public = Reach {
        private: false,
        ..DEFAULT
    };
    for to in ["127.0.0.1", "10.0.0.1", "192.168.0.1", "::1", "fd12::1"] {
        let words = refusal(&client(public, &[to]), "http://moths.example:9/").await;
        assert!(words.is_some_and(|words| words.contains(to)), "{to}");
    }
    let words = refusal(&client(public, &[]), "http://localhost.:9/").await;
    assert_eq!(words, None, "it leads nowhere, which is no refusal");
    let words = refusal(&client(public, &[]), "http://127.1:9/").await;
    assert!(words.is_some());
}

#[tokio::test]
async fn a_redirect_is_judged_like_an_address() {
    let service = MockServer::start().await;
    for (from, to) in [
        ("/number", "http://169.254.169.254/latest/meta-data/"),
        ("/name", "http://metadata.google.internal/"),
        ("/home", "/end"),
    ] {
        let answer = ResponseTemplate::new(302).insert_header("location", to);
        Mock::given(path(from))
            .respond_with(answer)
            .mount(&service)
            .await;
    }
    let end = ResponseTemplate::new(204);
    Mock::given(path("/end"))
        .respond_with(end)
        .mount(&service)
        .await;
    let client = client(DEFAULT, &["127.0.0.1"]);
    for from in ["/number", "/name"] {
        let words = refusal(&client, &format!("{}{from}", service.uri())).await;
        assert!(words.is_some(), "{from}");
    }
    let call = client.get(&format!("{}/home", service.uri())).unwrap();
    assert_eq!(call.send().await.unwrap().status(), 204);
}

#[tokio::test]
async fn everything_may_be_allowed() {
    let all = Reach {
        link_local: true,
        private: true,
    };
    let client = client(all, &["127.0.0.1"]);
    assert!(client.get("http://169.254.169.254/").is_ok());
    assert!(client.get("http://metadata.google.internal/").is_ok());
}
