//! From the ledger's rows to figures that people and programs read: as text, JSON and HTML.
//!
//! What is shown equals the ledger. This module must not change anything and must not print: it gives text.

mod around;
mod check_json;
mod doctor;
mod fates;
mod forecast;
mod gallery;
mod json;
mod layout;
mod log;
mod matching;
mod online;
mod problem_list;
mod problems;
mod restored;
mod status;
mod table;
mod unjoined;

pub use around::Around;
pub use check_json::check as check_json;
pub use doctor::{Health, Seen, json as doctor_json, text as doctor_text};
pub use fates::{
    Beside, FAILED_NOTHING_TO_DO, failures_of_constituent, failures_of_official, of_constituent as beside_constituent,
    of_official as beside_official,
};
pub use forecast::text as forecast_text;
pub use gallery::{Gallery, GalleryError};
pub use json::{log_line as log_json, status as status_json};
pub use layout::one as paragraph;
pub use log::line as log_text;
pub use matching::{Findings, MOMENT, SHORT_MOMENT, summary as match_summary, text as match_text};
pub use online::{json as online_json, text as online_text};
pub use problem_list::{ProblemList, WrittenList};
pub use restored::{signs as restored_signs, text as restored_text};
pub use status::{
    Figures, Overall, advice, awaits_staff, has_failures, officials as officials_text, standing, text as status_text,
};
pub use table::{Align, Table, count, counted, duration};
