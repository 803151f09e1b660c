//! Dumps detections as JSON lines (development only).
fn main() {
    for f in std::env::args().skip(1) {
        let t = std::time::Instant::now();
        let im = image::open(&f).unwrap().to_rgb8();
        let td = t.elapsed().as_secs_f64();
        let d = detector::detect(&im);
        eprintln!("{f} decode {td:.3} detect {:.3} n {}", t.elapsed().as_secs_f64() - td, d.len());
        for x in d {
            println!("{}", serde_json::json!({"file": f, "box": x.area, "score": x.score, "features": x.features}));
        }
    }
}
