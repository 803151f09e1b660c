//! Tests of times in file names: the examples of the contract, every written form, the edges.
//! The idea: tables of names and the time each must give, then properties over random names.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use proptest::prelude::*;

fn time_in(path: &str) -> Option<String> {
    from_file_name(path).map(|t| t.format("%Y-%m-%d %H:%M:%S").to_string())
}

fn assert_times(table: &[(&str, &str)]) {
    for (path, time) in table {
        let expected = (!time.is_empty()).then(|| (*time).to_owned());
        assert_eq!(time_in(path), expected, "{path}");
    }
}

#[test]
fn names_of_known_cameras() {
    assert_times(&[
        ("20220810231507-00-07.jpg", "2022-08-10 23:15:07"),
        ("84-20220916202959-snapshot.jpg", "2022-09-16 20:29:59"),
        ("Project_20230801023001_4393.JPG", "2023-08-01 02:30:01"),
        ("NSCF----_250927194802_0017.JPG", "2025-09-27 19:48:02"),
        (
            "a/20210101010101/20220810-231507.jpg",
            "2022-08-10 23:15:07",
        ),
        ("20220810T231507.jpg", "2022-08-10 23:15:07"),
        ("trap 2022-08-10__23:15:07 b.png", "2022-08-10 23:15:07"),
        ("2022_08_10 23-15-07.jpg", "2022-08-10 23:15:07"),
        ("X_690101000000.jpg", "1969-01-01 00:00:00"),
        ("X_680101000000.jpg", "2068-01-01 00:00:00"),
    ]);
}

#[test]
fn the_leftmost_match_decides_even_when_it_is_no_date() {
    assert_times(&[
        ("20221310231507_20220810231507.jpg", ""),
        ("99999999-999999_20220810231507.jpg", ""),
        ("120220810231507.jpg", ""),
        ("120220810-231507.jpg", "2022-08-10 23:15:07"),
        ("1250927194802.jpg", ""),
        ("2022081023150799.jpg", "2022-08-10 23:15:07"),
        ("20220810231560.jpg", ""),
        ("2022-08-1 23:15:07.jpg", "2022-08-01 23:15:07"),
    ]);
}

#[test]
fn dates_as_people_write_them() {
    assert_times(&[
        ("2022-08-10.jpg", "2022-08-10 00:00:00"),
        ("2022.8.1.jpg", "2022-08-01 00:00:00"),
        ("20220810.jpg", "2022-08-10 00:00:00"),
        ("202208102315.jpg", "2022-08-10 23:15:00"),
        ("10 Aug 2022.jpg", "2022-08-10 00:00:00"),
        ("10Aug2022.jpg", "2022-08-10 00:00:00"),
        ("10th of August 2022.jpg", "2022-08-10 00:00:00"),
        ("Wed Aug 10, 2022 11:15.jpg", "2022-08-10 11:15:00"),
        ("2022 aug 10.jpg", "2022-08-10 00:00:00"),
        ("08-10-2022.jpg", "2022-08-10 00:00:00"),
        ("13-08-2022.jpg", "2022-08-13 00:00:00"),
        ("2022-08-10T23:15.jpg", "2022-08-10 23:15:00"),
        ("2022-08-10 23-15.jpg", "2022-08-10 23:15:00"),
        ("20220810 2315.jpg", "2022-08-10 23:15:00"),
        ("2022-8-1 3:15:07.jpg", "2022-08-01 03:15:07"),
        ("29-02-2023.jpg", ""),
    ]);
}

#[test]
fn names_without_a_whole_date_have_no_time() {
    assert_times(&[
        ("", ""),
        ("/", ""),
        (".jpg", ""),
        ("IMG_0001.jpg", ""),
        ("12.jpg", ""),
        ("2022-08.jpg", ""),
        ("August 2022.jpg", ""),
        ("10 August.jpg", ""),
        ("23:15:07.jpg", ""),
        ("220810.jpg", ""),
        ("2022_08_10.jpg", ""),
        ("photo 2022-08-10.jpg", ""),
        ("2022:08:10.jpg", ""),
        ("2022-08-10 25:00.jpg", ""),
        ("2022-08-10 1 2 3 4.jpg", ""),
        ("Mon.jpg", ""),
        ("00000000000000.jpg", ""),
        ("mär 10 2022.jpg", ""),
    ]);
}

#[test]
fn only_the_last_extension_is_left_out() {
    for (path, expected) in [
        ("a/b.tar.gz", "b.tar"),
        ("a/.jpg", ".jpg"),
        ("a/b/", "b"),
        ("x.", "x."),
        ("x", "x"),
    ] {
        assert_eq!(stem(path), expected);
    }
}

#[test]
fn exif_texts() {
    let parsed = parse_exif("2022:08:10 23:15:07\0").unwrap();
    assert_eq!(parsed.to_string(), "2022-08-10 23:15:07");
    for bad in [
        "",
        "0000:00:00 00:00:00",
        "2022-08-10 23:15:07",
        "2022:08:10",
        "2022:02:30 00:00:00",
        "2022:08:10 23:15:0é",
        "    :  :     :  :  ",
    ] {
        assert_eq!(parse_exif(bad), None, "{bad}");
    }
}

fn moment() -> impl Strategy<Value = NaiveDateTime> {
    (-30_000_000_000i64..200_000_000_000)
        .prop_map(|s| chrono::DateTime::from_timestamp(s, 0).unwrap().naive_utc())
}

proptest! {
    #[test]
    fn no_name_panics(path in ".{0,60}") {
        let _ = from_file_name(&path);
        let _ = parse_exif(&path);
    }

    #[test]
    fn no_name_like_a_date_panics(path in "[0-9aAugTth:./ é-]{0,40}") {
        let _ = from_file_name(&path);
    }

    #[test]
    fn a_time_among_other_characters_is_found_again(
        t in moment(), before in "[^0-9/.]{0,10}", after in "[^0-9/.]{0,10}",
        form in prop::sample::select(vec!["%Y%m%d%H%M%S", "%Y%m%d-%H%M%S", "%Y-%m-%d_%H.%M.%S", "%Y/%m/%d %H:%M:%S"]),
    ) {
        let form = form.replace('/', "_");
        let name = format!("folder/1999/{before}{}{after}.jpg", t.format(&form));
        prop_assert_eq!(from_file_name(&name), Some(t));
    }

    #[test]
    fn two_digit_years_are_found_too(
        s in 0i64..3_000_000_000, before in "[^0-9/.]{0,10}", after in "[^0-9/.]{0,10}",
    ) {
        let t = chrono::DateTime::from_timestamp(s, 0).unwrap().naive_utc();
        let name = format!("{before}{}{after}.jpg", t.format("%y%m%d%H%M%S"));
        prop_assert_eq!(from_file_name(&name), Some(t));
    }

    #[test]
    fn written_dates_are_found_again(
        t in moment(), form in prop::sample::select(vec!["%Y-%m-%d", "%d %b %Y", "%B %d, %Y", "%Y%m%d", "%m-%d-%Y"]),
    ) {
        let name = format!("{}.jpg", t.format(form));
        prop_assert_eq!(from_file_name(&name), t.date().and_hms_opt(0, 0, 0));
    }

    #[test]
    fn exif_round_trips(t in moment()) {
        prop_assert_eq!(parse_exif(&t.format("%Y:%m:%d %H:%M:%S").to_string()), Some(t));
    }
}
