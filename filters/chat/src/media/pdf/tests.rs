use super::*;
use miniz_oxide::deflate::compress_to_vec_zlib;
use proptest::prelude::*;

fn count(file: &[u8]) -> Option<u64> {
    Reader::default().pages(file)
}

/// A document of these objects, without offsets: they are not followed.
fn document(objects: &[&str]) -> Vec<u8> {
    let body = objects.concat();
    format!("%PDF-1.7\n{body}trailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF\n").into_bytes()
}

const CATALOG: &str = "1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n";
const TWO: &str = "2 0 obj <</Type/Pages/Count 2/Kids[3 0 R 4 0 R]>> endobj\n";
const THREE: &str = "3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>> endobj\n";
const FOUR: &str = "4 0 obj <</Parent 2 0 R/Type % a page >>\n /P#61ge>> endobj\n";

fn object_stream(dictionary: &str, data: &[u8]) -> Vec<u8> {
    let catalog = format!("%PDF-1.7\n{CATALOG}9 0 obj<<{dictionary}>>stream\r\n");
    [catalog.as_bytes(), data, b"\nendstream endobj\n"].concat()
}

const INSIDE: &[u8] = b"2 0 3 22 4 26 <</Kids[3 0 R 4 0 R]>><<>><</Type/Page>>";

#[test]
fn counts_pages() {
    for (objects, expected) in [
        (&[CATALOG, TWO, THREE, FOUR][..], Some(2)),
        (&[FOUR, THREE, TWO, CATALOG], Some(2)),
        // An update that adds a page and writes the tree again.
        (
            &[
                CATALOG,
                TWO,
                THREE,
                FOUR,
                "5 0 obj<</Type/Page>>endobj ",
                "2 1 obj<</Kids[3 0 R 4 0 R 5 0 R]>>",
            ],
            Some(3),
        ),
        // No types, an array of its own, an alias.
        (
            &[
                CATALOG,
                "2 0 obj<</Kids 7 0 R>>",
                "7 0 obj[8 0 R 3 0 R]",
                "8 0 obj 3 0 R ",
                "3 0 obj<<>>",
            ],
            Some(2),
        ),
        // A page that is listed again and again.
        (&[CATALOG, "2 0 obj<</Kids[3 0 R 3 0 R 3 0 R 3 0 R 3 0 R]>>", THREE], Some(5)),
        // A tree that says more than it shows.
        (&[CATALOG, "2 0 obj<</Kids[3 0 R]/Count 70000>>", THREE], Some(70_000)),
        // Names by escapes.
        (&["1 0 obj<</P#61ges 2 0 R>>", "2 0 obj<</#4bids[3 0 R 3 0 R]>>", THREE], Some(2)),
        // Outlines and forms count nothing.
        (
            &[
                CATALOG,
                TWO,
                THREE,
                FOUR,
                "6 0 obj<</Type/Outlines/Count 900>>",
                "7 0 obj<</T(a)/Kids[3 0 R 3 0 R 3 0 R]>>",
            ],
            Some(2),
        ),
    ] {
        assert_eq!(count(&document(objects)), expected, "{objects:?}");
    }
}

#[test]
fn an_object_counts_wherever_it_stands() {
    let honest = [CATALOG, TWO, THREE, FOUR].concat();
    let many = format!("2 0 obj<</Kids[{}]>>endobj", "3 0 R ".repeat(500));
    for hidden in [
        format!("9 0 obj<</Length 5000>>stream\n{many}\nendstream"),
        format!("9 0 obj({many})endobj"),
        format!("%{many}\n"),
        format!("9 0 obj<</A<</B({many})>>>>"),
        many.replace("2 0 obj", "2\x00\x0c 0\tobj"),
        many.replace("2 0 obj", "2 0obj"),
        many.replace("2 0 obj<<", "2 0 obj%x\n<<"),
    ] {
        assert_eq!(count(&document(&[&honest, &hidden])), Some(500), "{hidden:.40}");
    }
}

#[test]
fn refuses_what_cannot_be_counted() {
    for (objects, why) in [
        (&[][..], "nothing"),
        (&["1 0 obj<</Type/Catalog>>", THREE], "no tree"),
        (&[CATALOG], "no root of the tree"),
        (&[CATALOG, "2 0 obj<</Kids[]>>"], "no page"),
        (&[CATALOG, TWO, THREE], "a page that is missing"),
        (&[CATALOG, "2 0 obj<</Kids[2 0 R]>>"], "a cycle"),
        (&[CATALOG, "2 0 obj<</Kids[<</Type/Page>>]>>"], "a page that is no object"),
        (&[CATALOG, "2 0 obj<</Kids<</Type/Page>>>>"], "kids that are none"),
        (&[CATALOG, TWO, THREE, FOUR, "9 0 obj<</Pages<</Kids[3 0 R]>>>>"], "a direct tree"),
        (&[CATALOG, TWO, THREE, FOUR, "trailer<</Root<</Pages 2 0 R>>>>"], "a direct catalog"),
        (&[CATALOG, TWO, THREE, FOUR, "trailer<</Encrypt 9 0 R>>"], "encrypted"),
        (&[CATALOG, TWO, THREE, FOUR, "9 0 obj<</Type/XRef/#45ncrypt<</V 4>>>>"], "encrypted"),
        (&[CATALOG, TWO, THREE, FOUR, "2 %x\n0 obj<</Kids[]>>"], "a number behind a comment"),
        (&[CATALOG, TWO, THREE, FOUR, "2 0 %x\nobj<</Kids[]>>"], "a number behind a comment"),
        (&[CATALOG, "2 0 obj<</Kids[3 0 R]/Count 5 0 R>>", THREE], "a count elsewhere"),
        (&[CATALOG, TWO, THREE, FOUR, "2 0 obj<</Kids[3 0 R"], "an end within"),
    ] {
        // Behind an end within there is nothing.
        let file = document(objects);
        let end = if why == "an end within" { file.len() - 50 } else { file.len() };
        assert_eq!(count(&file[..end]), None, "{why}");
    }
}

#[test]
fn words_that_contain_obj_are_none() {
    let prose = "(an object,\nobjects, <obj>)\n endobj\n";
    assert_eq!(count(&document(&[CATALOG, TWO, THREE, FOUR, prose])), Some(2));
}

#[test]
fn reads_compressed_objects() {
    let flate = compress_to_vec_zlib(INSIDE, 6);
    for (dictionary, data, expected) in [
        ("/Type/ObjStm/N 3/First 14/Filter/FlateDecode", &flate[..], Some(2)),
        ("/N 3/First 14/Filter[/Fl#61teDecode]/DecodeParms null", &flate, Some(2)),
        ("/N 3/First 14/Filter[/Fl]", &flate, Some(2)),
        ("/N 3/First 14", INSIDE, Some(2)),
        ("/N 3/First 14/Filter[]", INSIDE, Some(2)),
        // Fewer objects than the tree names.
        ("/N 1/First 14/Filter/FlateDecode", &flate, None),
        ("/N 4/First 14/Filter/FlateDecode", &flate, None),
        ("/N 3/First 9999999/Filter/FlateDecode", &flate, None),
        ("/N 3/First 8 0 R/Filter/FlateDecode", &flate, None),
        ("/N 3/First 14/Filter/LZWDecode", &flate, None),
        ("/N 3/First 14/Filter[/FlateDecode/ASCII85Decode]", &flate, None),
        ("/N 3/First 14/Filter[/FlateDecode/FlateDecode]", &flate, None),
        ("/N 3/First 14/Filter 7 0 R", &flate, None),
        ("/N 3/First 14/Filter/FlateDecode/DecodeParms<</Predictor 12>>", &flate, None),
        ("/N 3/First 14/Filter/FlateDecode", &flate[..20], None),
        ("/N 3/First 14/Filter/FlateDecode", INSIDE, None),
    ] {
        assert_eq!(count(&object_stream(dictionary, data)), expected, "{dictionary}");
    }
}

/// A stream of two objects at these offsets; the tree is in the first or the second.
fn two_objects(offsets: [usize; 2], objects: &str) -> Vec<u8> {
    let pairs = format!("2 {} 3 {} ", offsets[0], offsets[1]);
    let data = [pairs.as_bytes(), objects.as_bytes()].concat();
    object_stream(&format!("/N 2/First {}", pairs.len()), &data)
}

#[test]
fn objects_of_a_stream_end_where_the_next_begins() {
    for (offsets, objects, expected) in [
        ([0, 15], "<</Kids[3 0 R]><</Type/Page>>", None),
        ([0, 16], "<</Kids[3 0 R]>><</Type/Page>>", Some(1)),
        ([0, 18], "<</Kids[3 0 R]>>  <<>>", Some(1)),
        ([16, 0], "<</Kids[3 0 R]>><</Type/Page>>", None),
        ([0, 0], "<</Kids[3 0 R]>>", None),
        ([0, 99], "<</Kids[3 0 R]>>", None),
        ([0, 16], "<</Kids[3 0 R]>>", None),
        // Another object for who reads on: an array, a reference, a dictionary.
        ([0, 7], "[3 0 R 3 0 R]", None),
        ([0, 2], "3 0 R ", None),
        ([0, 2], "%x\n<</Kids[3 0 R 3 0 R]>>", None),
        ([0, 1], "<</Kids[3 0 R 3 0 R]>>", None),
        ([0, 1], " <</Kids[3 0 R 3 0 R]>>", None),
    ] {
        assert_eq!(count(&two_objects(offsets, objects)), expected, "{offsets:?} {objects}");
    }
}

/// A document whose one stream inflates to an array without an end, and to so many
/// bytes.
fn inflating(array: impl Iterator<Item = String>, bytes: usize) -> Vec<u8> {
    let mut data = b"1 0 [".to_vec();
    data.extend(array.flat_map(String::into_bytes).take(bytes));
    object_stream("/N 1/First 4/Filter/FlateDecode", &compress_to_vec_zlib(&data, 1))
}

#[test]
fn what_inflates_to_much_work_is_refused() {
    for inside in ["1 ", "[", "/A 1", "1 0 R ", "%\n", "(", "1 1 0 R ", "<>", "()"] {
        // Among numbers that differ, so that it does not inflate beyond measure.
        let array = (0_u32..).map(|n| format!("{}{n} ", inside.repeat(50)));
        let mut reader = Reader::default();
        assert_eq!(reader.pages(&inflating(array, 1_400_000)), None, "{inside}");
        assert_eq!(reader.work.left.get(), 0, "{inside}");
        assert!(reader.work.inflatable > 0, "{inside}");
    }
}

#[test]
fn what_inflates_beyond_measure_is_not_read() {
    for bytes in [100_000, 5_000_000] {
        let numbers = std::iter::repeat_with(|| "1 ".to_owned());
        let mut reader = Reader::default();
        let fresh = reader.work.left.get();
        assert_eq!(reader.pages(&inflating(numbers, bytes)), None);
        assert!(reader.work.left.get() > fresh - 100);
    }
}

#[test]
fn whatever_is_read_again_and_again_is_work() {
    let honest = document(&[CATALOG, TWO, THREE, FOUR]);
    assert_eq!(count(&honest), Some(2));
    for (again, inside) in [
        ("1 0 obj [", "1 "),
        ("1 0 obj<</N 1/First 4>>stream\n1 0 [", "1 "),
        ("1 0 obj [", " "),
        ("1 0 obj %", "a"),
        ("1 0 obj (", "a"),
        ("1 0 obj <", "a"),
        ("trailer<<", "/A "),
    ] {
        let tail: String = inside.chars().cycle().take(100_000).collect();
        let file = [&honest[..], again.repeat(1000).as_bytes(), tail.as_bytes()].concat();
        let mut reader = Reader::default();
        assert_eq!(reader.pages(&file), None, "{again}{inside}");
        assert_eq!(reader.work.left.get(), 0, "{again}{inside}");
    }
}

#[test]
fn documents_of_one_request_share_its_work() {
    let names = "/A ".repeat(60_000);
    let file = document(&[CATALOG, TWO, THREE, FOUR, &format!("9 0 obj<<{names}>>endobj ")]);
    let mut reader = Reader::default();
    let counted: Vec<_> = (0..10).map(|_| reader.pages(&file)).collect();
    assert_eq!(counted.iter().flatten().count(), 8);
    assert_eq!(counted.last(), Some(&None));
}

#[test]
fn what_is_inflated_is_taken_off() {
    let file = object_stream("/N 3/First 14/Filter/FlateDecode", &compress_to_vec_zlib(INSIDE, 6));
    let mut reader = Reader::default();
    reader.work.inflatable = INSIDE.len() + 10;
    assert_eq!(reader.pages(&file), Some(2));
    assert_eq!(reader.work.inflatable, 10);
    assert_eq!(reader.pages(&file), None);
}

#[test]
fn objects_within_objects_do_not_cost_squares() {
    let nested = "1 0 obj(".repeat(100_000);
    assert_eq!(count(nested.as_bytes()), None);
}

proptest! {
    #[test]
    fn garbage_does_not_panic(garbage in any::<Vec<u8>>(), at in 0..400_usize) {
        let flate = compress_to_vec_zlib(INSIDE, 6);
        let mut file = object_stream("/N 3/First 14/Filter/FlateDecode", &flate);
        let at = at.min(file.len());
        file.splice(at..at, garbage);
        count(&file);
    }

    #[test]
    fn cuts_do_not_panic(at in 0..400_usize) {
        let file = document(&[CATALOG, TWO, THREE, FOUR]);
        prop_assert!(count(&file[..at.min(file.len())]).is_none_or(|pages| pages <= 2));
    }

    #[test]
    fn every_byte_is_read_once(text in "[\\]\\[<>()/%R0-9 \\na-c]{0,300}") {
        let work = Work::default();
        let mut lexer = Lexer::new(text.as_bytes(), 0, &work);
        while lexer.value().is_some() {}
        let taken = Work::default().left.get() - work.left.get();
        // A token has a byte at least, as has a bracket in it, and the end is found
        // once more by each of two looks ahead.
        prop_assert!(taken <= 2 * text.len() + text.len() / 16 + 3, "{}", taken);
    }

    #[test]
    fn a_plain_tree_counts_its_pages(kids in 1..300_u32) {
        let list: String = (10..10 + kids).map(|kid| format!("{kid} 0 R ")).collect();
        let leaves: String = (10..10 + kids).map(|kid| format!("{kid} 0 obj<</Type/Page>>endobj ")).collect();
        let root = format!("2 0 obj<</Type/Pages/Count {kids}/Kids[{list}]>>endobj ");
        prop_assert_eq!(count(&document(&[CATALOG, &root, &leaves])), Some(u64::from(kids)));
    }
}
