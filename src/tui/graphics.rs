//! Pictures with pixels, for terminals that draw them: kitty's protocol, iTerm2's, and sixel.
//!
//! `probe` finds out which one there is; `encode` makes the bytes for it in a worker, from the same decoded cover as
//! the half blocks; `Paint` puts them on the page where nothing lies over it, and half blocks everywhere else. The
//! bytes stand in the first cell of the picture and the other cells are left alone, so that they go out once, with the
//! frame in which the picture appears, and what is drawn over it later takes its place.

use std::fmt::{self, Write as _};
use std::io::Cursor;
use std::num::NonZeroU16;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat, RgbImage};
use ratatui::buffer::{Buffer, CellDiffOption};
use ratatui::layout::Rect;
use ratatui::style::Color;

/// How pictures get to the terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// Two coloured halves in each cell: everywhere.
    #[default]
    Blocks,
    /// kitty's graphics protocol, by placeholders that move with the text.
    Kitty,
    /// iTerm2's inline images.
    Iterm2,
    /// Sixel.
    Sixel,
}

/// What pictures this terminal draws.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Graphics {
    /// The way they go.
    pub kind: Kind,
    /// Pixels of a cell: width, height.
    pub cell: (u16, u16),
    /// Whether they go through a tmux to the terminal around it.
    pub tmux: bool,
}

impl Graphics {
    /// Pixels of the longer side of the largest picture; terminals scale what has to be larger.
    const LARGEST: u32 = 720;

    /// Pixels of a picture in so many cells.
    fn pixels(self, width: u16, height: u16) -> (u32, u32) {
        let (w, h) = (u32::from(width) * u32::from(self.cell.0), u32::from(height) * u32::from(self.cell.1));
        let longer = w.max(h).max(1);
        // Sixel is not scaled by anybody.
        if self.kind == Kind::Sixel || longer <= Self::LARGEST {
            return (w.max(1), h.max(1));
        }
        ((w * Self::LARGEST / longer).max(1), (h * Self::LARGEST / longer).max(1))
    }

    /// The longer side, to ask a server for.
    pub(crate) fn side(self, width: u16, height: u16) -> u32 {
        let (w, h) = self.pixels(width, height);
        w.max(h)
    }
}

/// A picture as the terminal wants it.
pub(crate) struct Picture {
    /// What the terminal obeys, once.
    sequence: String,
    size: (u16, u16),
    /// Of kitty's: the number by which cells name it, and whether the pixels went out.
    kitty: Option<(u32, AtomicBool)>,
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Picture")
            .field("size", &self.size)
            .field("bytes", &self.sequence.len())
            .finish_non_exhaustive()
    }
}

/// Cells are as wide as they are, whatever stands in them.
const ONE: CellDiffOption = CellDiffOption::ForcedWidth(NonZeroU16::MIN);

impl Picture {
    /// Puts it on the page; `false` where it does not fit. Kitty gets the pixels once; the cells name them from then on.
    pub(crate) fn draw(&self, area: Rect, buf: &mut Buffer) -> bool {
        let area = area.intersection(*buf.area());
        if (area.width, area.height) != self.size {
            return false;
        }
        match &self.kitty {
            Some((id, sent)) => self.placeholders(area, buf, *id, sent),
            None => {
                for y in area.top()..area.bottom() {
                    for x in area.left()..area.right() {
                        if let Some(cell) = buf.cell_mut((x, y)) {
                            cell.reset();
                            if (x, y) == (area.x, area.y) {
                                cell.set_symbol(&self.sequence).set_diff_option(ONE);
                            } else {
                                cell.set_diff_option(CellDiffOption::Skip);
                            }
                        }
                    }
                }
            }
        }
        true
    }

    /// Every row begins with its number and the picture's; the cells after it go on from there.
    fn placeholders(&self, area: Rect, buf: &mut Buffer, id: u32, sent: &AtomicBool) {
        let [extra, r, g, b] = id.to_be_bytes();
        let mut before = if sent.swap(true, Ordering::SeqCst) { "" } else { self.sequence.as_str() };
        for row in 0..area.height {
            for column in 0..area.width {
                let Some(cell) = buf.cell_mut((area.x + column, area.y + row)) else { continue };
                let mut symbol = std::mem::take(&mut before).to_owned();
                symbol.push(PLACEHOLDER);
                if column == 0 {
                    let marks = [row, 0, u16::from(extra)];
                    symbol.extend(marks.into_iter().filter_map(mark));
                }
                cell.reset();
                cell.set_symbol(&symbol).set_fg(Color::Rgb(r, g, b)).set_diff_option(ONE);
            }
        }
    }
}

/// What a cell with a part of a picture has in it, for kitty.
const PLACEHOLDER: char = '\u{10eeee}';

/// The first hundred of the marks by which kitty counts rows and columns: ranges of combining characters
/// (rowcolumn-diacritics.txt of its documentation).
const MARKS: &[(u32, u32)] = &[
    (0x305, 0x305),
    (0x30d, 0x30e),
    (0x310, 0x310),
    (0x312, 0x312),
    (0x33d, 0x33f),
    (0x346, 0x346),
    (0x34a, 0x34c),
    (0x350, 0x352),
    (0x357, 0x357),
    (0x35b, 0x35b),
    (0x363, 0x36f),
    (0x483, 0x487),
    (0x592, 0x595),
    (0x597, 0x599),
    (0x59c, 0x5a1),
    (0x5a8, 0x5a9),
    (0x5ab, 0x5ac),
    (0x5af, 0x5af),
    (0x5c4, 0x5c4),
    (0x610, 0x617),
    (0x657, 0x65b),
    (0x65d, 0x65e),
    (0x6d6, 0x6dc),
    (0x6df, 0x6e2),
    (0x6e4, 0x6e4),
    (0x6e7, 0x6e8),
    (0x6eb, 0x6ec),
    (0x730, 0x730),
    (0x732, 0x733),
    (0x735, 0x736),
    (0x73a, 0x73a),
    (0x73d, 0x73d),
    (0x73f, 0x741),
    (0x743, 0x743),
    (0x745, 0x745),
    (0x747, 0x747),
    (0x749, 0x74a),
];

/// The mark that stands for a number.
fn mark(mut n: u16) -> Option<char> {
    for (from, to) in MARKS {
        let len = (to - from + 1) as u16;
        if n < len {
            return char::from_u32(from + u32::from(n));
        }
        n -= len;
    }
    None
}

/// Makes a picture fill `width` × `height` cells; none where the terminal draws none, or none so large.
pub(crate) fn encode(picture: &DynamicImage, width: u16, height: u16, graphics: Graphics) -> Option<Picture> {
    if graphics.kind == Kind::Blocks || width == 0 || height == 0 {
        return None;
    }
    let (w, h) = graphics.pixels(width, height);
    let pixels = picture.resize_to_fill(w, h, FilterType::Triangle).to_rgb8();
    let (sequence, kitty) = match graphics.kind {
        Kind::Blocks => return None,
        Kind::Kitty => {
            mark(height)?;
            let id = next_id();
            (kitty(pixels, (width, height), id, graphics.tmux)?, Some((id, AtomicBool::new(false))))
        }
        Kind::Iterm2 => (iterm2(&pixels, (width, height))?, None),
        Kind::Sixel => (sixel(&pixels), None),
    };
    let sequence = match kitty {
        // It went through in pieces.
        Some(_) => sequence,
        // The cursor is where it was, whatever the terminal does with it.
        None if graphics.tmux => format!("\u{1b}7{}\u{1b}8", through_tmux(&sequence)),
        None => format!("\u{1b}7{sequence}\u{1b}8"),
    };
    Some(Picture { sequence, size: (width, height), kitty })
}

/// Numbers of pictures, apart from those of other programs in the same terminal, and as a colour of 24 bits.
fn next_id() -> u32 {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(0x9e37) & 0x00ff_f000;
    let n = LAST.fetch_add(1, Ordering::Relaxed) & 0xfff;
    (first | n).max(1)
}

/// A PNG in pieces of 4096 letters, and a place of so many cells for it that only placeholders fill.
fn kitty(pixels: RgbImage, (columns, rows): (u16, u16), id: u32, tmux: bool) -> Option<String> {
    let mut png = Vec::new();
    DynamicImage::from(pixels).write_to(&mut Cursor::new(&mut png), ImageFormat::Png).ok()?;
    let letters = STANDARD.encode(png);
    let mut out = String::with_capacity(letters.len() * 11 / 10);
    let count = letters.len().div_ceil(4096);
    for i in 0..count {
        let piece = letters.get(i * 4096..((i + 1) * 4096).min(letters.len()))?;
        let more = u8::from(i + 1 < count);
        let head = match i {
            0 => format!("q=2,i={id},a=T,U=1,f=100,t=d,c={columns},r={rows},m={more}"),
            _ => format!("q=2,m={more}"),
        };
        let command = format!("\u{1b}_G{head};{piece}\u{1b}\\");
        out.push_str(&if tmux { through_tmux(&command) } else { command });
    }
    Some(out)
}

fn iterm2(pixels: &RgbImage, (columns, rows): (u16, u16)) -> Option<String> {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 88).encode_image(pixels).ok()?;
    let (size, letters) = (jpeg.len(), STANDARD.encode(jpeg));
    Some(format!(
        "\u{1b}]1337;File=inline=1;size={size};width={columns};height={rows};preserveAspectRatio=0;doNotMoveCursor=1:{letters}\u{7}"
    ))
}

/// Bands of six rows; in each, a line of run lengths for every colour that it has.
fn sixel(pixels: &RgbImage) -> String {
    let (width, height) = pixels.dimensions();
    let rgba: Vec<u8> = pixels.pixels().flat_map(|p| [p.0[0], p.0[1], p.0[2], 255]).collect();
    let palette = color_quant::NeuQuant::new(10, 256, &rgba);
    let mut out = format!("\u{1b}P0;1;0q\"1;1;{width};{height}");
    for (n, color) in palette.color_map_rgb().chunks_exact(3).enumerate() {
        let part = |value: u8| (u32::from(value) * 100 + 127) / 255;
        // Writing to a string cannot fail.
        let _ = write!(out, "#{n};2;{};{};{}", part(color[0]), part(color[1]), part(color[2]));
    }
    let indices: Vec<u8> = rgba.chunks_exact(4).map(|pixel| palette.index_of(pixel) as u8).collect();
    let width = width as usize;
    for band in indices.chunks(width * 6) {
        // For each colour the six bits of each column.
        let mut lines: Vec<Option<Vec<u8>>> = vec![None; 256];
        for (at, index) in band.iter().enumerate() {
            let line = lines[usize::from(*index)].get_or_insert_with(|| vec![0; width]);
            line[at % width] |= 1 << (at / width);
        }
        for (n, line) in lines.iter().enumerate() {
            let Some(line) = line else { continue };
            let _ = write!(out, "#{n}");
            for run in line.chunk_by(|a, b| a == b) {
                let letter = char::from(0x3f + run.first().copied().unwrap_or(0));
                if run.len() > 3 {
                    let _ = write!(out, "!{}{letter}", run.len());
                } else {
                    out.extend(std::iter::repeat_n(letter, run.len()));
                }
            }
            out.push('$');
        }
        out.push('-');
    }
    out.push_str("\u{1b}\\");
    out
}

/// A sequence for the terminal around a tmux.
pub(crate) fn through_tmux(sequence: &str) -> String {
    format!("\u{1b}Ptmux;{}\u{1b}\\", sequence.replace('\u{1b}', "\u{1b}\u{1b}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> DynamicImage {
        let color = |x: u32, y: u32| image::Rgb([(x * 6) as u8, 30, (y * 6) as u8]);
        DynamicImage::ImageRgb8(RgbImage::from_fn(40, 40, color))
    }

    fn made(kind: Kind, tmux: bool) -> Option<Picture> {
        encode(&picture(), 8, 4, Graphics { kind, cell: (8, 16), tmux })
    }

    fn drawn(kind: Kind, tmux: bool) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 10));
        assert!(made(kind, tmux).unwrap().draw(Rect::new(2, 1, 8, 4), &mut buffer));
        buffer
    }

    /// What stands between two marks of a sequence, as bytes.
    fn payload(sequence: &str, from: &str, to: &str) -> Vec<u8> {
        let body = sequence.split(from).skip(1).map(|part| part.split(to).next().unwrap());
        let letters: String =
            body.map(|part| part.split_once(';').map_or(part, |(_, letters)| letters)).collect();
        STANDARD.decode(letters).unwrap()
    }

    #[test]
    fn every_terminal_gets_its_own() {
        let first = |kind, tmux| drawn(kind, tmux)[(2, 1)].symbol().to_owned();
        let png = payload(&first(Kind::Kitty, false), "\u{1b}_G", "\u{1b}\\");
        let back = image::load_from_memory_with_format(&png, ImageFormat::Png).unwrap().to_rgb8();
        assert_eq!(back.dimensions(), (64, 64));
        assert!(first(Kind::Kitty, false).contains("a=T,U=1,f=100,t=d,c=8,r=4"));
        assert!(first(Kind::Kitty, true).contains("\u{1b}Ptmux;\u{1b}\u{1b}_G"));
        let iterm = first(Kind::Iterm2, false);
        let letters = iterm.split_once("Cursor=1:").unwrap().1.split('\u{7}').next().unwrap().to_owned();
        let jpeg = image::load_from_memory(&STANDARD.decode(letters).unwrap()).unwrap();
        assert_eq!((jpeg.width(), jpeg.height()), (64, 64));
        assert!(first(Kind::Iterm2, true).contains("\u{1b}Ptmux;\u{1b}\u{1b}]1337"));
        assert!(made(Kind::Blocks, false).is_none());
    }

    /// Reads sixel as a terminal does.
    #[test]
    fn sixel_reads_back_as_the_picture() {
        let original = picture().resize_to_fill(64, 64, FilterType::Triangle).to_rgb8();
        let text = sixel(&original);
        let body = text.strip_prefix("\u{1b}P0;1;0q\"1;1;64;64").unwrap().strip_suffix("\u{1b}\\").unwrap();
        let mut colors = vec![[0u8; 3]; 256];
        let mut back = RgbImage::new(64, 64);
        let (mut x, mut band, mut color) = (0u32, 0u32, 0usize);
        let mut rest = body;
        let number = |rest: &mut &str| {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (digits, after) = rest.split_at(end);
            *rest = after;
            digits.parse::<u32>().unwrap()
        };
        while let Some(c) = rest.chars().next() {
            rest = &rest[1..];
            let mut times = 1;
            let mut letter = c;
            match c {
                '#' => {
                    color = number(&mut rest) as usize;
                    if let Some(after) = rest.strip_prefix(";2;") {
                        rest = after;
                        for part in &mut colors[color] {
                            *part = (number(&mut rest) * 255 / 100) as u8;
                            rest = rest.strip_prefix(';').unwrap_or(rest);
                        }
                    }
                    continue;
                }
                '$' => {
                    x = 0;
                    continue;
                }
                '-' => {
                    (x, band) = (0, band + 6);
                    continue;
                }
                '!' => {
                    times = number(&mut rest);
                    letter = rest.chars().next().unwrap();
                    rest = &rest[1..];
                }
                _ => {}
            }
            for _ in 0..times {
                for bit in 0..6 {
                    if (letter as u8 - 0x3f) >> bit & 1 == 1 {
                        back.put_pixel(x, band + bit, image::Rgb(colors[color]));
                    }
                }
                x += 1;
            }
        }
        let off = original.pixels().zip(back.pixels()).flat_map(|(a, b)| a.0.into_iter().zip(b.0));
        let worst = off.map(|(a, b)| a.abs_diff(b)).max().unwrap();
        assert!(worst < 40, "a colour is off by {worst}");
    }

    /// What stands beside a picture is drawn as ever, and its place is drawn again when it is gone.
    #[test]
    fn a_picture_that_is_gone_leaves_nothing_behind() {
        for kind in [Kind::Kitty, Kind::Iterm2, Kind::Sixel] {
            let (with, without) = (drawn(kind, false), Buffer::empty(Rect::new(0, 0, 20, 10)));
            let cleared: Vec<(u16, u16)> = with.diff(&without).into_iter().map(|(x, y, _)| (x, y)).collect();
            for y in 1..5 {
                for x in 2..10 {
                    assert!(cleared.contains(&(x, y)), "{kind:?} leaves {x},{y}");
                }
            }
            assert!(!cleared.contains(&(10, 1)));
        }
    }

    #[test]
    fn kitty_gets_the_pixels_once_and_rows_have_their_marks() {
        let picture = made(Kind::Kitty, false).unwrap();
        let draw = || {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 10));
            assert!(picture.draw(Rect::new(0, 0, 8, 4), &mut buffer));
            buffer
        };
        assert!(draw()[(0, 0)].symbol().len() > 500);
        let again = draw();
        assert_eq!(again[(0, 0)].symbol(), "\u{10eeee}\u{305}\u{305}\u{305}");
        assert_eq!(again[(0, 1)].symbol(), "\u{10eeee}\u{30d}\u{305}\u{305}");
        assert_eq!(again[(1, 1)].symbol(), "\u{10eeee}");
        assert!(!picture.draw(Rect::new(0, 0, 7, 4), &mut Buffer::empty(Rect::new(0, 0, 20, 10))));
        assert_eq!((mark(0), mark(99).is_some(), mark(100)), (Some('\u{305}'), true, None));
    }
}
