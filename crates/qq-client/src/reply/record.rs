//! The answers to one message or event, as a store keeps them: JSON, with short names.

use std::time::Duration;

use qq_http::{PendingAudit, Sent};
use qq_model::id::AuditId;
use qq_model::outgoing::SentMessage;
use serde::{Deserialize, Serialize};

use super::page::{Class, Outcome, Progress, Slot};
use super::refusal::Closed;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Since 1970.
    #[serde(with = "millis", rename = "until")]
    pub(crate) closes_at: Duration,
    #[serde(rename = "last")]
    pub(crate) last_number: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) closed: Option<Closed>,
    pub(crate) slots: Vec<SlotRecord>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SlotRecord {
    pub(crate) class: Class,
    #[serde(rename = "seq", default, skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<u32>,
    pub(crate) state: State,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Begun,
    Finishing,
    Sent(SentMessage),
    Pending {
        audit_id: AuditId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<Box<str>>,
    },
    Streamed(Vec<Box<str>>),
    /// It was sent, and nothing more is known of it.
    Done,
    Refused,
}

impl Record {
    pub(crate) fn to_json(&self) -> String {
        // Numbers, texts and lists of them: nothing that JSON cannot say.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(crate) fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }
}

impl SlotRecord {
    pub(crate) fn of(slot: &Slot) -> Self {
        let state = match &slot.progress {
            Progress::Begun => State::Begun,
            Progress::Finishing => State::Finishing,
            Progress::Refused => State::Refused,
            Progress::Sent(outcome) => match outcome.as_deref() {
                Some(Outcome::Message(Sent::Delivered(message))) => State::Sent(message.clone()),
                Some(Outcome::Message(Sent::PendingAudit(audit))) => State::Pending {
                    audit_id: audit.audit_id.clone(),
                    message: audit.message.clone(),
                },
                Some(Outcome::Stream(ids)) => State::Streamed(ids.clone()),
                Some(Outcome::Message(_)) | None => State::Done,
            },
        };
        Self {
            class: slot.class,
            number: slot.number,
            state,
        }
    }

    pub(crate) fn into_slot(self) -> Slot {
        let message = |sent| Progress::Sent(Some(Box::new(Outcome::Message(sent))));
        let progress = match self.state {
            State::Begun => Progress::Begun,
            State::Finishing => Progress::Finishing,
            State::Refused => Progress::Refused,
            State::Sent(sent) => message(Sent::Delivered(sent)),
            State::Pending {
                audit_id,
                message: text,
            } => {
                let mut audit = PendingAudit::default();
                audit.audit_id = audit_id;
                audit.message = text;
                message(Sent::PendingAudit(audit))
            }
            State::Streamed(ids) => Progress::Sent(Some(Box::new(Outcome::Stream(ids)))),
            State::Done => Progress::Sent(None),
        };
        Slot {
            class: self.class,
            number: self.number,
            progress,
        }
    }
}

mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(number: Option<u32>, progress: Progress) -> Slot {
        Slot {
            class: Class::Message,
            number,
            progress,
        }
    }

    #[test]
    fn every_state_comes_back_as_it_went() {
        let mut audit = PendingAudit::default();
        audit.audit_id = "A".into();
        let mut sent = SentMessage::default();
        sent.id = "M".into();
        let outcome = |outcome| Progress::Sent(Some(Box::new(outcome)));
        let slots = vec![
            slot(Some(1), Progress::Begun),
            slot(Some(2), Progress::Refused),
            slot(Some(3), Progress::Finishing),
            slot(Some(4), outcome(Outcome::Message(Sent::Delivered(sent)))),
            slot(None, outcome(Outcome::Message(Sent::PendingAudit(audit)))),
            slot(Some(5), outcome(Outcome::Stream(vec!["S".into()]))),
            slot(Some(6), Progress::Sent(None)),
        ];
        let record = Record {
            closes_at: Duration::from_millis(1_700_000_000_123),
            last_number: 6,
            closed: Some(Closed::Budget),
            slots: slots.iter().map(SlotRecord::of).collect(),
        };
        let read = Record::from_json(&record.to_json()).unwrap();
        assert_eq!(read, record);
        let back: Vec<_> = read.slots.into_iter().map(SlotRecord::into_slot).collect();
        assert_eq!(back, slots);
    }
}
