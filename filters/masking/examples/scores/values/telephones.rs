//! Telephone numbers of Korea, North America and elsewhere.

use masking::PiiType::Phone;

use crate::rng::Rng;
use crate::sample::Made;

const MOBILE: &[&str] = &[
    "010-####-####",
    "010-####-####",
    "010-####-####",
    "010-####-####",
    "010.####.####",
    "010 #### ####",
    "010########",
    "010########",
    "(010) ####-####",
    "010)####-####",
    "010 - #### - ####",
    "010-########",
];
const MOBILE_ABROAD: &[&str] = &[
    "+82-10-####-####",
    "+82 10-####-####",
    "+82 10 #### ####",
    "+8210########",
    "+82 (0)10-####-####",
    "+82(0)10-####-####",
    "+82)10-####-####",
    "+82.10.####.####",
    "+82 010-####-####",
    "82-10-####-####",
    "(+82) 10-####-####",
    "+82-10########",
    "0082-10-####-####",
];
const MOBILE_OLD: &[&str] = &[
    "011-###-####",
    "016-###-####",
    "017-%##-####",
    "018-%##-####",
    "019-%##-####",
    "011-9###-####",
    "011.%##.####",
    "019%######",
];
const LANDLINE: &[&str] = &[
    "02-%##-####",
    "02-%###-####",
    "02)%##-####",
    "02) %###-####",
    "(02) %##-####",
    "(02)%###-####",
    "02.%##.####",
    "02 %### ####",
    "031-%##-####",
    "032-%##-####",
    "051-%##-####",
    "053)%##-####",
    "(042) %##-####",
    "064-%##-####",
    "062-%##-####",
    "033.%##.####",
    "054-%##-####",
];
const LANDLINE_ABROAD: &[&str] = &[
    "+82-2-%##-####",
    "+82 2 %### ####",
    "+82-31-%##-####",
    "+82 (0)2 %### ####",
    "+82-51-%##-####",
];
const INTERNET: &[&str] = &["070-%###-####", "070.%###.####", "070%#######", "070)%###-####"];
const PERSONAL: &[&str] = &[
    "0505-%##-####",
    "050-%###-####",
    "0507-1%##-####",
    "0502-%##-####",
    "0504.%##.####",
    "0508-%###-####",
];
const AMERICAN: &[&str] = &[
    "(%##) %##-####",
    "%##-%##-####",
    "%##.%##.####",
    "%## %## ####",
    "+1 %## %## ####",
    "+1-%##-%##-####",
    "+1 (%##) %##-####",
    "1-%##-%##-####",
    "+1%##%######",
    "(%##)%##-####",
    "+1.%##.%##.####",
];
const ABROAD: &[&str] = &[
    "+44 20 7### ####",
    "+44 7### ######",
    "+44 (0)20 7### ####",
    "+447#########",
    "+49 30 %######",
    "+49 151 ########",
    "+49-89-%######",
    "+33 6 ## ## ## ##",
    "+33 1 ## ## ## ##",
    "+81 3-####-####",
    "+81-90-####-####",
    "+86 138 #### ####",
    "+86-139-####-####",
    "+65 9### ####",
    "+91 98### #####",
    "+61 4## ### ###",
    "+34 6## ### ###",
    "+39 02 #### ####",
    "+31 6 ########",
    "+852 9### ####",
    "+84 90 ### ####",
    "+7 912 ###-##-##",
    "+55 11 9####-####",
    "+971 50 ### ####",
];

fn of(rng: &mut Rng, kind: &'static str, shapes: &[&str]) -> Made {
    let shape = rng.pick(shapes);
    Made::pii(Phone, kind, rng.shape(shape))
}

/// Area and exchange of North America start with 2 to 9 and do not end in 11.
fn american(rng: &mut Rng, shapes: &[&str]) -> Made {
    let shape = rng.pick(shapes);
    let mut text = String::new();
    let mut rest = shape;
    while let Some((before, behind)) = rest.split_once("%##") {
        text.push_str(&rng.shape(before));
        text.push(rng.pick(&['2', '3', '4', '5', '6', '7', '8', '9']));
        text.push(rng.pick(&['0', '2', '3', '4', '5', '6', '7', '8', '9']));
        text.push_str(&rng.shape("#"));
        rest = behind;
    }
    text.push_str(&rng.shape(rest));
    Made::pii(Phone, "north american", text)
}

/// As it stands in running text, without a label.
pub fn korean(rng: &mut Rng) -> Made {
    match rng.below(20) {
        0..=9 => of(rng, "mobile", MOBILE),
        10..=11 => of(rng, "mobile +82", MOBILE_ABROAD),
        12 => of(rng, "mobile old", MOBILE_OLD),
        13..=15 => of(rng, "landline", LANDLINE),
        16 => of(rng, "landline +82", LANDLINE_ABROAD),
        17 => of(rng, "internet 070", INTERNET),
        _ => of(rng, "personal 050", PERSONAL),
    }
}

pub fn mobile(rng: &mut Rng) -> Made {
    of(rng, "mobile", MOBILE)
}

pub fn landline(rng: &mut Rng) -> Made {
    of(rng, "landline", LANDLINE)
}

pub fn english(rng: &mut Rng) -> Made {
    match rng.below(10) {
        0..=5 => american(rng, AMERICAN),
        6 => of(rng, "mobile +82", MOBILE_ABROAD),
        _ => of(rng, "abroad", ABROAD),
    }
}

/// Behind a label: bare digits too.
pub fn labelled(rng: &mut Rng) -> Made {
    match rng.below(10) {
        0 => american(rng, &["%##%######"]),
        1 => of(rng, "mobile", &["010########"]),
        2 => of(
            rng,
            "local abroad",
            &["07### ######", "020 7### ####", "090-####-####", "0171 #######"],
        ),
        3..=6 => english(rng),
        _ => korean(rng),
    }
}
