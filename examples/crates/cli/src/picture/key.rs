use plotters::coord::Shift;
use plotters::prelude::*;

use super::{Drawn, FONT, INK};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const ROW: i32 = 25;
const COLUMN: i32 = 230;

/// What the marks mean, in two columns under the chart.
#[derive(Default)]
pub(super) struct Key(Vec<(&'static str, Mark)>);

enum Mark {
    Band(RGBColor),
    Cross(RGBColor),
    Dot(RGBColor),
    Line(RGBColor, u32),
    Ring(RGBColor),
    Tick(RGBColor, u32),
    Triangle(RGBColor),
}

impl Key {
    pub(super) fn band(&mut self, text: &'static str, colour: RGBColor) {
        self.0.push((text, Mark::Band(colour)));
    }

    pub(super) fn cross(&mut self, text: &'static str, colour: RGBColor) {
        self.0.push((text, Mark::Cross(colour)));
    }

    pub(super) fn dot(&mut self, text: &'static str, colour: RGBColor) {
        self.0.push((text, Mark::Dot(colour)));
    }

    pub(super) fn line(&mut self, text: &'static str, colour: RGBColor, width: u32) {
        self.0.push((text, Mark::Line(colour, width)));
    }

    pub(super) fn ring(&mut self, text: &'static str, colour: RGBColor) {
        self.0.push((text, Mark::Ring(colour)));
    }

    pub(super) fn tick(&mut self, text: &'static str, colour: RGBColor, width: u32) {
        self.0.push((text, Mark::Tick(colour, width)));
    }

    pub(super) fn triangle(&mut self, text: &'static str, colour: RGBColor) {
        self.0.push((text, Mark::Triangle(colour)));
    }

    pub(super) fn draw(&self, area: &Area<'_>) -> Drawn {
        for (at, (text, mark)) in (0..).zip(&self.0) {
            let (x, y) = (16 + at % 2 * COLUMN, 12 + at / 2 * ROW);
            mark.draw(area, x, y)?;
            area.draw(&Text::new(*text, (x + 28, y - 8), FONT.into_font().color(&INK)))?;
        }
        Ok(())
    }
}

impl Mark {
    fn draw(&self, area: &Area<'_>, x: i32, y: i32) -> Drawn {
        let middle = (x + 9, y);
        match *self {
            Self::Band(colour) => {
                let corners = [(x, y - 8), (x + 18, y + 8)];
                area.draw(&Rectangle::new(corners, colour.mix(0.22).filled()))?;
            }
            Self::Cross(colour) => area.draw(&Cross::new(middle, 6, colour.stroke_width(3)))?,
            Self::Dot(colour) => area.draw(&Circle::new(middle, 3, colour.filled()))?,
            Self::Line(colour, width) => {
                let colour = if width > 2 { colour.mix(0.55) } else { colour.mix(1.0) };
                let ends = [(x, y), (x + 18, y)];
                area.draw(&PathElement::new(ends, colour.stroke_width(width)))?;
            }
            Self::Ring(colour) => area.draw(&Circle::new(middle, 6, colour.stroke_width(3)))?,
            Self::Tick(colour, width) => {
                let ends = [(x + 9, y - 7), (x + 9, y + 7)];
                area.draw(&PathElement::new(ends, colour.stroke_width(width)))?;
            }
            Self::Triangle(colour) => {
                area.draw(&TriangleMarker::new(middle, 7, colour.filled()))?;
            }
        }
        Ok(())
    }
}
