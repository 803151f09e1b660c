//! The service as its callers see it: over HTTP, with a picture server beside it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Cursor;
use std::net::SocketAddr;

use image::{ImageFormat, Rgb, RgbImage};

use super::*;

/// A grey sheet with one brown moth on it, as PNG.
fn sheet() -> Vec<u8> {
    let mut picture = RgbImage::from_pixel(640, 400, Rgb([214, 215, 212]));
    for (x, y) in (200..290).flat_map(|x| (150..210).map(move |y| (x, y))) {
        picture.put_pixel(x, y, Rgb([96, 66, 40]));
    }
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

async fn listen(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// The service, a client, and the address of a server with pictures.
async fn world() -> (String, reqwest::Client, String) {
    let service = listen(router(Settings { at_once: 2 }).unwrap()).await;
    let pictures = Router::new()
        .route("/moth.png", get(|| async { sheet() }))
        .route(
            "/page.jpg",
            get(|| async { "<html>no such picture</html>" }),
        );
    let pictures = listen(pictures).await;
    let client = reqwest::Client::new();
    (
        format!("http://{service}"),
        client,
        format!("http://{pictures}"),
    )
}

fn body(images: &[(&str, String)]) -> Value {
    let images: Vec<Value> = images
        .iter()
        .map(|(id, url)| json!({"id": id, "url": url}))
        .collect();
    json!({"pipeline": PIPELINE, "source_images": images, "detections": [], "config": {}})
}

#[tokio::test]
async fn every_route_answers_with_and_without_its_last_slash() {
    let (service, client, _) = world().await;
    for end in ["", "/"] {
        let ask = async |path: &str| -> Value {
            let url = format!("{service}/{path}{end}");
            let answer = client.get(url).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.json().await.unwrap()
        };
        assert_eq!(ask("livez").await, json!({"status": true}));
        assert_eq!(ask("readyz").await, json!({"status": ["light-sheet"]}));
        let info = ask("info").await;
        let pipeline = &info["pipelines"][0];
        assert_eq!(pipeline["slug"], "light-sheet");
        assert_eq!(pipeline["version"], 1);
        assert_eq!(pipeline["algorithms"][0]["key"], DETECTOR);
        assert_eq!(pipeline["algorithms"][0]["task_type"], "detection");
        let classes = &pipeline["algorithms"][1]["category_map"];
        assert_eq!(classes["labels"], json!(["Insect", "Debris"]));
        assert_eq!(classes["data"][1]["label"], "Debris");
        let sent = client
            .post(format!("{service}/process{end}"))
            .json(&body(&[]));
        assert_eq!(sent.send().await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_moth_is_found_and_named() {
    let (service, client, pictures) = world().await;
    let url = format!("{pictures}/moth.png");
    // The same capture twice is answered once.
    let sent = body(&[("17", url.clone()), ("17", url.clone())]);
    let sent = client.post(format!("{service}/process")).json(&sent);
    let answer = sent.send().await.unwrap().json::<Value>().await.unwrap();
    assert_eq!(answer["source_images"], json!([{"id": "17", "url": url}]));
    assert_eq!(answer["errors"], Value::Null);
    let found = answer["detections"].as_array().unwrap();
    assert_eq!(found.len(), 1, "{answer}");
    assert_eq!(found[0]["source_image_id"], "17");
    let bbox = &found[0]["bbox"];
    for (edge, wanted) in [("x1", 200.0), ("y1", 150.0), ("x2", 290.0), ("y2", 210.0)] {
        assert!(
            (bbox[edge].as_f64().unwrap() - wanted).abs() < 4.0,
            "{bbox}"
        );
    }
    assert!(
        found[0]["timestamp"]
            .as_str()
            .unwrap()
            .parse::<NaiveDateTime>()
            .is_ok()
    );
    let class = &found[0]["classifications"][0];
    assert_eq!(class["classification"], "Insect");
    assert_eq!(class["terminal"], true);
    let scores: Vec<f64> = serde_json::from_value(class["scores"].clone()).unwrap();
    let logits: Vec<f64> = serde_json::from_value(class["logits"].clone()).unwrap();
    assert!((scores[0] + scores[1] - 1.0).abs() < 1e-9);
    let softmax = 1.0 / (1.0 + (logits[1] - logits[0]).exp());
    assert!((scores[0] - softmax).abs() < 1e-9);
}

#[tokio::test]
async fn one_broken_picture_does_not_lose_the_others() {
    let (service, client, pictures) = world().await;
    let sent = body(&[
        ("1", format!("{pictures}/absent.jpg")),
        ("2", format!("{pictures}/page.jpg")),
        ("3", "file:///etc/hostname".to_owned()),
        ("4", format!("{pictures}/moth.png")),
        ("5", "no address".to_owned()),
        ("6", "http://127.0.0.1:1/closed.jpg".to_owned()),
    ]);
    let sent = client.post(format!("{service}/process")).json(&sent);
    let answer = sent.send().await.unwrap().json::<Value>().await.unwrap();
    let ids: Vec<&Value> = answer["source_images"].as_array().unwrap().iter().collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(ids[0]["id"], "4");
    let errors: Vec<String> = serde_json::from_value(answer["errors"].clone()).unwrap();
    let names: Vec<&str> = errors
        .iter()
        .map(|e| e.split(':').next().unwrap())
        .collect();
    assert_eq!(names, ["1", "2", "3", "5", "6"], "{errors:?}");
    assert!(errors[0].contains("HTTP 404"), "{errors:?}");
    assert!(errors[1].contains("neither a JPEG nor a PNG"), "{errors:?}");
    assert!(errors[2].contains("\"file\""), "{errors:?}");
}

#[tokio::test]
async fn known_boxes_are_named_again_as_they_are() {
    let (service, client, pictures) = world().await;
    let mut sent = body(&[("4", format!("{pictures}/moth.png"))]);
    let known = |bbox: [f64; 4]| {
        json!({
            "source_image": {"id": "4", "url": "http://elsewhere/"},
            "bbox": BoundingBox::from_array(bbox),
            "crop_image_url": null,
            "algorithm": {"name": "Another", "key": "another"},
        })
    };
    let boxes = [
        [198.25, 149.5, 291.0, 211.0],
        [20.0, 20.0, 80.0, 90.0],
        [-9.0, -9.0, -1.0, 1e12],
    ];
    sent["detections"] = boxes.map(known).to_vec().into();
    let sent = client.post(format!("{service}/process")).json(&sent);
    let answer = sent.send().await.unwrap().json::<Value>().await.unwrap();
    let answer: PipelineResultsResponse = serde_json::from_value(answer).unwrap();
    let echoed: Vec<_> = answer
        .detections
        .iter()
        .map(|d| d.bbox.unwrap().as_array())
        .collect();
    assert_eq!(echoed, boxes);
    let names: Vec<_> = answer
        .detections
        .iter()
        .map(|d| &*d.classifications[0].classification)
        .collect();
    assert_eq!(names, ["Insect", "Debris", "Debris"]);
    assert!(
        answer
            .detections
            .iter()
            .all(|d| d.algorithm.key == DETECTOR)
    );
}

#[tokio::test]
async fn what_is_not_understood_is_answered_422_with_a_detail() {
    let (service, client, _) = world().await;
    let mut unknown = body(&[]);
    unknown["pipeline"] = "moths".into();
    let mut number = body(&[("1", "http://h/a.jpg".to_owned())]);
    number["source_images"][0]["id"] = 1.into();
    let bodies = [
        unknown.to_string(),
        number.to_string(),
        "{".to_owned(),
        "[]".to_owned(),
    ];
    for sent in bodies {
        let answer = client.post(format!("{service}/process")).body(sent.clone());
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.status(), 422, "{sent}");
        let answer: Value = answer.json().await.unwrap();
        assert!(answer.get("detail").is_some(), "{sent}");
    }
    let answer = client
        .get(format!("{service}/process"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 405);
    let answer = client.get(format!("{service}/else")).send().await.unwrap();
    assert_eq!(
        answer.json::<Value>().await.unwrap(),
        json!({"detail": "Not Found"})
    );
}
