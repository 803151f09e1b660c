//! What the recordings do not hold: bodies that JSON cannot write down, values of forms, and what
//! the recorder did between two requests.

use serde_json::{Value, json};

use super::recording::Exchange;

/// Jobs that the recorder started as it made them.
pub const STARTED: &[i64] = &[79, 81, 88, 98, 120];

/// Jobs that were deleted before the tables were written.
pub fn job(id: i64) -> Option<Value> {
    match id {
        98 => Some(json!({
            "name": "cancel async mid", "delay": 0, "project_id": 1,
            "pipeline_id": 2, "source_image_collection_id": 6,
        })),
        140 => Some(json!({"name": "role target", "delay": 0, "project_id": 1})),
        211 | 229 | 247 => Some(json!({"name": "role target", "delay": 0, "project_id": 1})),
        _ => None,
    }
}

/// Jobs that were there before a folder's first request names them.
pub fn jobs_before(folder: &str) -> std::ops::Range<i64> {
    match folder {
        "jobs-roles" => 111..121,
        _ => 0..0,
    }
}

/// How many of the tasks that a request fetched were answered with an error before the next
/// recorded request; the others were answered with two detections each.
pub fn errors_of(name: &str) -> Option<usize> {
    match name.split_once("-tasks")?.0 {
        "jobs-async/065-clean6" => Some(0),
        "jobs-async/070-one-error-of-6" => Some(1),
        "jobs-async/075-four-errors-of-6" => Some(4),
        _ => None,
    }
}

/// The job that had begun to wait when the recorder went on with this step.
pub fn waiting(name: &str) -> Option<i64> {
    (name == "jobs-series/023-cancel-started-delay-job").then_some(88)
}

/// The job that had ended when the recorder went on with this step.
pub fn over(name: &str) -> Option<i64> {
    (name == "jobs-series/070-export-list").then_some(107)
}

/// The job whose tasks the recorder fetched and answered before a step, all that were left.
pub fn drained(name: &str) -> Option<i64> {
    (name == "jobs-async/062-drain-final").then_some(89)
}

/// What a worker made of an image with the algorithms of this pipeline.
pub fn result(pipeline: &str, image: &str, reply: &str, fails: bool) -> Value {
    if fails {
        return json!({"reply_subject": reply, "result": {"error": "failed", "image_id": image}});
    }
    let time = "2026-11-23T13:35:07.585433";
    let (finder, judge, label, scores) = match pipeline {
        "constant" => (
            json!({"name": "Constant Detector", "key": "constant-detector"}),
            json!({"name": "Constant classifier", "key": "constant-classifier"}),
            "Moth",
            json!([0.9]),
        ),
        _ => (
            json!({"name": "Random Detector", "key": "random-detector"}),
            json!({
                "name": "Random species classifier", "key": "random-species-classifier",
            }),
            "Vanessa atalanta",
            json!([0.9, 0.05, 0.05]),
        ),
    };
    let detection = |x: f64| {
        json!({
            "source_image_id": image,
            "bbox": {"x1": x, "y1": 5.0, "x2": x + 50.0, "y2": 60.0},
            "algorithm": finder,
            "timestamp": time,
            "inference_time": 0.01,
            "classifications": [{
                "classification": label,
                "scores": scores,
                "algorithm": judge,
                "terminal": true,
                "timestamp": time,
            }],
        })
    };
    json!({"reply_subject": reply, "result": {
        "pipeline": pipeline,
        "algorithms": {},
        "total_time": 0.12,
        "source_images": [{"id": image, "url": "http://127.0.0.1:9000/"}],
        "detections": [detection(0.0), detection(10.0)],
        "errors": null,
    }})
}

/// Jobs that were no longer there when a folder began.
pub fn jobs_gone(folder: &str) -> &'static [i64] {
    match folder {
        "jobs-roles" => &[93, 98, 105],
        _ => &[],
    }
}

/// A body that the recording could not hold, or holds otherwise than it was sent.
pub fn body(name: &str, recorded: &Exchange) -> Option<Vec<u8>> {
    let (folder, file) = name.split_once('/')?;
    let number = format!("{folder}/{}", file.split('-').next()?);
    match number.as_str() {
        "format/040" => Some(b"{\"name\":\"\xff\"}".to_vec()),
        "format/042" => Some(b"{\"name\": \"x\"}".to_vec()),
        "jobs-create/060" => Some(
            br#"{"name":"x","delay":0,"project_id":1,"pipeline_id":99999999999999999999999}"#
                .to_vec(),
        ),
        _ => multipart(&number, recorded),
    }
}

fn multipart(number: &str, recorded: &Exchange) -> Option<Vec<u8>> {
    let kind = recorded.content_type.as_deref()?;
    let boundary = kind.strip_prefix("multipart/form-data; boundary=")?;
    let mut body = Vec::new();
    for (name, file) in &recorded.parts {
        let head = if file == "None" {
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n")
        } else {
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; \
                 filename=\"{file}\"\r\nContent-Type: image/jpeg\r\n\r\n"
            )
        };
        body.extend(head.into_bytes());
        body.extend(part(number, recorded, name, file));
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").into_bytes());
    Some(body)
}

/// The value of a form's field, known from the answer.
fn part(number: &str, recorded: &Exchange, name: &str, file: &str) -> Vec<u8> {
    if file != "None" {
        return match number {
            "captures-upload/014" => b"no picture".to_vec(),
            "captures-upload/015" => Vec::new(),
            _ => picture(),
        };
    }
    let answer = &recorded.answer;
    let value = match name {
        "project_id" => answer["project"]["id"].clone(),
        "deployment" if number == "captures-upload/016" => json!(999),
        "deployment" => json!(6),
        "settings.session_time_gap_seconds" => json!(3600),
        name => answer[name].clone(),
    };
    match value {
        Value::String(text) => text.into_bytes(),
        other => other.to_string().into_bytes(),
    }
}

fn picture() -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(64, 48, image::Rgb([200, 200, 190]));
    picture
        .write_to(&mut file, image::ImageFormat::Jpeg)
        .unwrap();
    file.into_inner()
}

/// A recorded answer less what `do-not-copy.md` calls a fault there: a job whose progress is said
/// to stand otherwise than the job itself (19).
pub fn amended(answer: &Value) -> Value {
    let mut answer = answer.clone();
    mend(&mut answer);
    answer
}

fn mend(value: &mut Value) {
    let status = value.get("status").cloned();
    if let Some((status, told)) = status.zip(value.pointer_mut("/progress/summary/status")) {
        *told = status;
        return;
    }
    match value {
        Value::Object(fields) => fields.values_mut().for_each(mend),
        Value::Array(items) => items.iter_mut().for_each(mend),
        _ => {}
    }
}

/// The ids of rows that a request made.
pub fn given_ids(recorded: &Exchange) -> Vec<(&'static str, i64)> {
    let answer = &recorded.answer;
    let path = recorded.path.split('?').next().unwrap_or_default();
    let made = recorded.method == "POST" && (200..300).contains(&recorded.status);
    if !made {
        return Vec::new();
    }
    let lists = [
        ("/api/v2/jobs/", "job"),
        ("/api/v2/users/", "user"),
        ("/api/v2/projects/", "project"),
        ("/api/v2/deployments/", "station"),
        ("/api/v2/deployments/sites/", "site"),
        ("/api/v2/deployments/devices/", "device"),
        ("/api/v2/storage/", "storage_source"),
        ("/api/v2/captures/collections/", "capture_set"),
        ("/api/v2/exports/", "export"),
        ("/api/v2/ml/processing_services/", "processing_service"),
        ("/api/v2/taxa/lists/", "taxa_list"),
        ("/api/v2/captures/upload/", "upload"),
    ];
    let table = lists.iter().find(|(list, _)| *list == path);
    let table = table.map(|(_, table)| *table).or_else(|| {
        let members = path.starts_with("/api/v2/projects/") && path.ends_with("/members/");
        members.then_some("membership")
    });
    let mut ids = Vec::new();
    let id = answer["id"].as_i64().or(answer["instance"]["id"].as_i64());
    ids.extend(table.zip(id));
    let capture = answer["source_image"]["id"].as_i64();
    ids.extend(capture.map(|id| ("capture", id)));
    let jobs = answer["job_id"].as_i64().or(answer["job_ids"][0].as_i64());
    ids.extend(jobs.map(|id| ("job", id)));
    ids.extend(answer["job"]["id"].as_i64().map(|id| ("job", id)));
    ids
}

/// What a list was ordered by, where that leaves the order of many rows to chance.
pub fn loose_order(path: &str) -> Option<&'static str> {
    let by = path.split("ordering=").nth(1)?.split('&').next()?;
    let fields = [
        "project",
        "deployment",
        "source_image_collection",
        "pipeline",
        "status",
        "status,-name",
        "started_at",
        "finished_at",
        "determination_score",
        "detections_count",
        "category_count",
    ];
    let field = fields
        .into_iter()
        .find(|f| *f == by.trim_start_matches('-'))?;
    field.split(',').next()
}

/// Whether the answer's rows come in an order of chance.
pub fn at_random(path: &str) -> bool {
    let flag = |on: &str| path.contains(on);
    (flag("ids_only=1")
        || flag("ids_only=true")
        || flag("ids_only=banana")
        || path.ends_with("ids_only="))
        && !flag("ordering=")
}

/// Whether it is a whole list for which the reference has no order: its rows come as they were
/// last written.
pub fn without_order(name: &str) -> bool {
    let lists = [
        "auth/034",
        "collections/002",
        "deployments/001",
        "deployments/017",
        "devices/00",
        "processing-services/002",
        "processing-services/003",
        "processing-services/004",
        "sites/00",
        "storage/00",
    ];
    lists.iter().any(|list| name.starts_with(list))
}
