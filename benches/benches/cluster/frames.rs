//! What the platform sends.

use serde_json::json;

use crate::AnyError;

/// Frames as a server writes them.
#[derive(Default)]
pub(crate) struct Flood {
    pub(crate) bytes: Vec<u8>,
    /// Where each frame ends.
    pub(crate) ends: Vec<usize>,
}

/// These group messages: message after message in so many groups, in turn.
pub(crate) fn flood(numbers: std::ops::Range<u64>, conversations: u32) -> Result<Flood, AnyError> {
    let Flood {
        mut bytes,
        mut ends,
    } = Flood::default();
    for number in numbers {
        let text = message(
            number,
            &format!("{:032X}", number % u64::from(conversations)),
        );
        bytes.push(0x81);
        match u16::try_from(text.len())? {
            short @ 0..126 => bytes.push(u8::try_from(short)?),
            long => {
                bytes.push(126);
                bytes.extend(long.to_be_bytes());
            }
        }
        bytes.extend(text.as_bytes());
        ends.push(bytes.len());
    }
    Ok(Flood { bytes, ends })
}

/// A message of some 736 bytes, with its members in the order in which the platform writes them.
fn message(number: u64, group: &str) -> String {
    let author = format!("{:032X}", number % 1_009);
    let data = json!({
        "author": {"bot": false, "id": author, "member_openid": author, "member_role": "member", "username": "一个人"},
        "content": "今天的天气怎么样？ /天气 深圳 \u{26} 广州，明天早上出门之前想知道要不要带伞，如果下午会下雨的话我们就改天再去爬山吧",
        "group_id": group, "group_openid": group,
        "id": format!("ROBOT1.0_{number:032}"),
        "message_scene": {"ext": ["msg_idx=REFIDX_CMbPGBDjptbFBhj4s6izBg=="], "source": "default"},
        "message_type": 0,
        "timestamp": "2026-05-23T10:00:00+08:00"
    });
    format!(
        r#"{{"op":0,"s":{},"t":"GROUP_MESSAGE_CREATE","id":"GROUP_MESSAGE_CREATE:{number:032}","d":{data}}}"#,
        number + 2
    )
}
