//! Which files are captures, and which captures a pipeline still has to process
//! (`domain-rules.md` §3 and §6). The idea: both are questions about facts handed in, so that
//! the collector, the push path and the tests ask the very same rule.

use std::collections::BTreeSet;

/// What an algorithm may be for (`processing-service.md` §1), in the order of the API's choices.
pub const TASK_TYPES: [&str; 19] = [
    "detection",
    "localization",
    "segmentation",
    "classification",
    "embedding",
    "tracking",
    "tagging",
    "regression",
    "captioning",
    "generation",
    "translation",
    "summarization",
    "question_answering",
    "depth_estimation",
    "pose_estimation",
    "size_estimation",
    "post_processing",
    "other",
    "unknown",
];

/// The task type of an algorithm that names none.
pub const DEFAULT_TASK_TYPE: &str = "unknown";

/// True for the task types that find regions.
pub fn is_detector(task_type: &str) -> bool {
    matches!(task_type, "detection" | "localization" | "segmentation")
}

/// True for the task types that cannot work without a category map.
pub fn needs_category_map(task_type: &str) -> bool {
    matches!(task_type, "classification" | "tagging")
}

/// Endings of files that are pictures, in lower case.
const SUFFIXES: [&str; 10] = [
    "jpg", "jpeg", "png", "gif", "webp", "svg", "bmp", "ico", "tiff", "tif",
];

/// True when a storage key names a picture: its end is one of the known endings, in any case.
/// As on the platform the dot is not asked for, so `folder/snapshotjpg` is one. Size and the
/// station's own pattern are the caller's to test.
pub fn is_image_key(key: &str) -> bool {
    let key = key.as_bytes();
    SUFFIXES.iter().any(|suffix| {
        let start = key.len().checked_sub(suffix.len());
        start.is_some_and(|at| key[at..].eq_ignore_ascii_case(suffix.as_bytes()))
    })
}

/// An algorithm of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlgorithmRole<'a> {
    /// Its primary key.
    pub id: i64,
    /// One of [`TASK_TYPES`]; none counts as no detector.
    pub task_type: Option<&'a str>,
}

impl AlgorithmRole<'_> {
    fn is_detector(&self) -> bool {
        self.task_type.is_some_and(is_detector)
    }
}

/// What is known of one detection of the capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetectionFacts {
    /// The detector that made it, if known.
    pub algorithm: Option<i64>,
    /// True when it has no box: "this detector found nothing here".
    pub is_null_marker: bool,
    /// The algorithms that have classified it.
    pub classified_by: BTreeSet<i64>,
}

/// True when the pipeline still has to process the capture with these detections (§6):
///
/// | the capture | processed again |
/// |---|---|
/// | pipeline has no algorithm but detectors | yes, always |
/// | nothing by an algorithm of the pipeline | yes |
/// | only null markers by them | no |
/// | a real detection by them that nobody classified | yes |
/// | a classifier of the pipeline classified none of these | yes |
/// | otherwise | no |
pub fn needs_processing(
    pipeline_algorithms: &[AlgorithmRole<'_>],
    detections: &[DetectionFacts],
) -> bool {
    let mut classifiers = pipeline_algorithms
        .iter()
        .filter(|a| !a.is_detector())
        .peekable();
    if classifiers.peek().is_none() {
        return true;
    }
    let ours = |d: &&DetectionFacts| {
        pipeline_algorithms
            .iter()
            .any(|a| d.algorithm == Some(a.id))
    };
    let mut ours = detections.iter().filter(ours).peekable();
    if ours.peek().is_none() {
        return true;
    }
    let real: Vec<_> = ours.filter(|d| !d.is_null_marker).collect();
    if real.is_empty() {
        return false;
    }
    real.iter().any(|d| d.classified_by.is_empty())
        || classifiers.any(|c| !real.iter().any(|d| d.classified_by.contains(&c.id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DETECTOR: AlgorithmRole<'_> = AlgorithmRole {
        id: 1,
        task_type: Some("localization"),
    };
    const FILTER: AlgorithmRole<'_> = AlgorithmRole {
        id: 2,
        task_type: Some("classification"),
    };
    const SPECIES: AlgorithmRole<'_> = AlgorithmRole {
        id: 3,
        task_type: None,
    };
    const PIPELINE: [AlgorithmRole<'_>; 3] = [DETECTOR, FILTER, SPECIES];

    fn found(algorithm: i64, classified_by: &[i64]) -> DetectionFacts {
        DetectionFacts {
            algorithm: Some(algorithm),
            is_null_marker: false,
            classified_by: classified_by.iter().copied().collect(),
        }
    }

    fn nothing(algorithm: i64) -> DetectionFacts {
        DetectionFacts {
            is_null_marker: true,
            ..found(algorithm, &[])
        }
    }

    #[test]
    fn the_table() {
        let by_nobody_known = DetectionFacts {
            algorithm: None,
            ..found(0, &[2, 3])
        };
        let table: [(&str, Vec<DetectionFacts>, bool); 10] = [
            ("never processed", vec![], true),
            (
                "only by other algorithms",
                vec![found(9, &[2, 3]), by_nobody_known],
                true,
            ),
            ("nothing found", vec![nothing(1)], false),
            ("nothing found by others", vec![nothing(9)], true),
            ("not classified", vec![found(1, &[])], true),
            (
                "one of two not classified",
                vec![found(1, &[2, 3]), found(1, &[])],
                true,
            ),
            ("done", vec![found(1, &[2, 3])], false),
            (
                "done by several together",
                vec![found(1, &[2]), found(1, &[3]), nothing(1)],
                false,
            ),
            (
                "a classifier is missing",
                vec![found(1, &[2]), found(1, &[2, 9])],
                true,
            ),
            (
                "it classified only a foreign one",
                vec![found(1, &[2]), found(9, &[3])],
                true,
            ),
        ];
        for (name, detections, expected) in table {
            assert_eq!(needs_processing(&PIPELINE, &detections), expected, "{name}");
        }
    }

    #[test]
    fn a_pipeline_without_classifiers_takes_everything() {
        assert!(needs_processing(&[DETECTOR], &[nothing(1)]));
        assert!(needs_processing(&[], &[found(1, &[2])]));
    }

    #[test]
    fn a_pipeline_without_detector_follows_the_same_rule() {
        assert!(needs_processing(&[FILTER], &[found(1, &[2])]));
        assert!(!needs_processing(&[FILTER], &[found(2, &[2])]));
    }

    #[test]
    fn pictures_by_their_ending() {
        for key in [
            "a/b.jpg",
            "A.JPEG",
            "x.TiF",
            "snapshotjpg",
            "jpg",
            "trap/2022.png",
            "é.webp",
        ] {
            assert!(is_image_key(key), "{key}");
        }
        for key in [
            "",
            "a/b.jpg/",
            "jp",
            "a.jpg.txt",
            "a.raw",
            "Pictures/",
            "a.jpe",
            "é",
        ] {
            assert!(!is_image_key(key), "{key}");
        }
    }

    #[test]
    fn task_types_are_distinct_and_sorted_into_kinds() {
        let distinct: BTreeSet<_> = TASK_TYPES.iter().collect();
        assert_eq!(distinct.len(), TASK_TYPES.len());
        assert!(TASK_TYPES.contains(&DEFAULT_TASK_TYPE));
        let detectors: Vec<_> = TASK_TYPES.iter().filter(|t| is_detector(t)).collect();
        assert_eq!(detectors, [&"detection", &"localization", &"segmentation"]);
        let classifiers: Vec<_> = TASK_TYPES
            .iter()
            .filter(|t| needs_category_map(t))
            .collect();
        assert_eq!(classifiers, [&"classification", &"tagging"]);
    }

    fn facts() -> impl Strategy<Value = Vec<DetectionFacts>> {
        let one = (
            prop::option::of(1i64..5),
            any::<bool>(),
            prop::collection::btree_set(1i64..5, 0..4),
        );
        let one = one.prop_map(
            |(algorithm, is_null_marker, classified_by)| DetectionFacts {
                algorithm,
                is_null_marker,
                classified_by,
            },
        );
        prop::collection::vec(one, 0..6)
    }

    proptest! {
        #[test]
        fn order_does_not_matter(mut detections in facts()) {
            let before = needs_processing(&PIPELINE, &detections);
            detections.reverse();
            prop_assert_eq!(needs_processing(&PIPELINE, &detections), before);
        }

        #[test]
        fn detections_of_other_pipelines_do_not_matter(detections in facts()) {
            let ours: Vec<_> = detections.iter().filter(|d| d.algorithm.is_some_and(|a| a < 4)).cloned().collect();
            prop_assert_eq!(needs_processing(&PIPELINE, &detections), needs_processing(&PIPELINE, &ours));
        }

        #[test]
        fn once_everything_is_saved_the_capture_is_done(mut detections in facts()) {
            for d in &mut detections {
                d.algorithm = Some(1);
                d.classified_by.extend([2, 3]);
            }
            detections.push(nothing(1));
            prop_assert!(!needs_processing(&PIPELINE, &detections));
        }

        #[test]
        fn an_unclassified_detection_always_calls_for_work(mut detections in facts()) {
            detections.push(found(1, &[]));
            prop_assert!(needs_processing(&PIPELINE, &detections));
        }

        #[test]
        fn case_of_the_key_does_not_matter(key in "[a-zA-Z./é]{0,12}") {
            prop_assert_eq!(is_image_key(&key), is_image_key(&key.to_ascii_uppercase()));
        }
    }
}
