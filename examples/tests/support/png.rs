//! A picture without a library: PNG whose pixels are stored, not compressed.

/// A sunset over the sea.
pub(crate) fn sunset(width: u32, height: u32) -> Vec<u8> {
    let mut pixels = Vec::new();
    for y in 0..height {
        pixels.push(0);
        for x in 0..width {
            pixels.extend(colour(x, y, width, height));
        }
    }
    let mut header = Vec::new();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut png, *b"IHDR", &header);
    chunk(&mut png, *b"IDAT", &stored(&pixels));
    chunk(&mut png, *b"IEND", &[]);
    png
}

fn colour(x: u32, y: u32, width: u32, height: u32) -> [u8; 3] {
    let horizon = height * 3 / 5;
    let (sun_x, sun_y, radius) = (width * 2 / 3, height * 9 / 20, height / 7);
    let distance = x.abs_diff(sun_x).pow(2) + y.abs_diff(sun_y).pow(2);
    let blend = |from: u32, to: u32, at: u32, of: u32| {
        let mixed = (from * (of - at.min(of)) + to * at.min(of)) / of.max(1);
        u8::try_from(mixed).unwrap_or(u8::MAX)
    };
    if y < horizon {
        if distance < radius * radius {
            return [255, 226, 150];
        }
        return [
            blend(58, 250, y, horizon),
            blend(70, 150, y, horizon),
            blend(140, 110, y, horizon),
        ];
    }
    let below = y - horizon;
    let glitter = x.abs_diff(sun_x) < radius / 2 + below / 3 && below % 7 < 3;
    if glitter {
        return [246, 190, 132];
    }
    let rest = height - horizon;
    [
        blend(120, 26, below, rest),
        blend(88, 40, below, rest),
        blend(120, 84, below, rest),
    ]
}

fn chunk(png: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    png.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    let start = png.len();
    png.extend(name);
    png.extend(data);
    let sum = crc(&png[start..]);
    png.extend(sum.to_be_bytes());
}

/// A zlib stream of stored blocks.
fn stored(data: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let mut blocks = data.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        stream.push(u8::from(blocks.peek().is_none()));
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in data {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    stream.extend(((b << 16) | a).to_be_bytes());
    stream
}

fn crc(data: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in data {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg());
        }
    }
    !sum
}
