//! A timeline as SVG: readable in light and dark, with a text alternative.

mod key;

use chrono::TimeDelta;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use session_policy::review::{Happening, Timeline, TimelineEvent};
use session_policy::{RejectReason, Timestamp};

use self::key::Key;

/// Small, so that its text can be read where a page is 340 pixels wide.
const SIZE: (u32, u32) = (480, 500);
/// Above what the marks mean.
const CHART_HEIGHT: u32 = 360;
const FONT: (&str, u32) = ("sans-serif", 16);

/// The colours of the light scheme, which a browser in the dark swaps.
const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xfe);
const INK: RGBColor = RGBColor(0x1f, 0x23, 0x28);
const GRID: RGBColor = RGBColor(0xd8, 0xde, 0xe4);
const CAP: RGBColor = RGBColor(0xb3, 0x1d, 0x28);
const EXPIRY: RGBColor = RGBColor(0x0b, 0x5c, 0xad);
const GAP: RGBColor = RGBColor(0x8c, 0x95, 0x9f);
const WARNING: RGBColor = RGBColor(0x9a, 0x54, 0x00);
const DARK: [(RGBColor, &str); 7] = [
    (PAPER, "#0d1117"),
    (INK, "#e6edf3"),
    (GRID, "#30363d"),
    (CAP, "#ff8a80"),
    (EXPIRY, "#79b8ff"),
    (GAP, "#7d8590"),
    (WARNING, "#f2a33a"),
];

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Draws when the session would expire, as it moves on at each renewal, under
/// the flat line of its cap; the errors are the plotting library's.
pub(crate) fn draw(timeline: &Timeline) -> Result<String, String> {
    let scale = Scale::of(timeline).ok_or("there is nothing to draw")?;
    let mut svg = String::new();
    plot(&mut svg, timeline, &scale).map_err(|error| error.to_string())?;
    Ok(dressed(&svg, timeline))
}

/// What the axes span, in units since the sign-in.
struct Scale {
    start: Timestamp,
    unit: &'static str,
    secs: f64,
    width: f64,
    height: f64,
    cap: f64,
}

impl Scale {
    fn of(timeline: &Timeline) -> Option<Self> {
        let start = timeline.events().first()?.at;
        let since = |instant: Timestamp| secs(instant.since(start));
        let last = timeline.events().iter().map(|event| since(event.at)).fold(1.0, f64::max);
        let until = timeline.events().iter().map(|event| since(event.until)).fold(1.0, f64::max);
        let cap = secs(timeline.policy().absolute_cap());
        let (unit, secs) = match until.max(last) {
            span if span <= 3.0 * 3_600.0 => ("minutes", 60.0),
            span if span <= 3.0 * 86_400.0 => ("hours", 3_600.0),
            _ => ("days", 86_400.0),
        };
        // A cap that is far away would press everything else to the floor.
        let top = if cap > 2.0 * until { until } else { cap };
        let (width, height) = (last * 1.04 / secs, top.max(until) * 1.12 / secs);
        Some(Self { start, unit, secs, width, height, cap: cap / secs })
    }

    fn of_instant(&self, instant: Timestamp) -> f64 {
        secs(instant.since(self.start)) / self.secs
    }
}

type Drawn<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn plot(svg: &mut String, timeline: &Timeline, scale: &Scale) -> Drawn {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&PAPER)?;
    let (above, below) = root.split_vertically(CHART_HEIGHT);
    let mut chart = ChartBuilder::on(&above)
        .caption(caption(timeline), FONT.into_font().color(&INK))
        .margin(12)
        .x_label_area_size(52)
        .y_label_area_size(58)
        .build_cartesian_2d(0.0..scale.width, 0.0..scale.height)?;
    chart
        .configure_mesh()
        .x_labels(6)
        .y_labels(6)
        .x_label_formatter(&number)
        .y_label_formatter(&number)
        .x_desc(format!("{} since the sign-in", scale.unit))
        .y_desc(format!("it expires at ({} since the sign-in)", scale.unit))
        .label_style(FONT.into_font().color(&INK))
        .axis_desc_style(FONT.into_font().color(&INK))
        .axis_style(INK)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .draw()?;
    let mut key = Key::default();
    draw_gaps(&mut chart, timeline, scale, &mut key)?;
    draw_cap(&mut chart, scale, &mut key)?;
    draw_expiry(&mut chart, timeline, scale, &mut key)?;
    draw_marks(&mut chart, timeline, scale, &mut key)?;
    key.draw(&below)?;
    root.present()?;
    Ok(())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as the plotting library has it")]
fn number(number: &f64) -> String {
    if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.1}") }
}

/// Pauses of more than a quarter of `max_age`, from floor to ceiling. The one that ended the
/// session has the colour of the end.
fn draw_gaps(
    chart: &mut Chart<'_, '_>,
    timeline: &Timeline,
    scale: &Scale,
    key: &mut Key,
) -> Drawn {
    let fatal = fatal_pause(timeline);
    let is_fatal = |(from, _): &(Timestamp, Timestamp)| fatal.is_some_and(|it| it.0 == *from);
    let band = |(from, to), colour: RGBColor| {
        let (from, to) = (scale.of_instant(from), scale.of_instant(to));
        Rectangle::new([(from, 0.0), (to, scale.height)], colour.mix(0.22).filled())
    };
    let pauses = timeline.gaps(gap_threshold(timeline)).filter(|pause| !is_fatal(pause));
    let pauses: Vec<_> = pauses.map(|pause| band(pause, GAP)).collect();
    if !pauses.is_empty() {
        chart.draw_series(pauses)?;
        key.band("pause over max_age / 4", GAP);
    }
    if let Some(pause) = fatal {
        chart.draw_series([band(pause, CAP)])?;
        key.band("pause that ended it", CAP);
    }
    Ok(())
}

/// From the last activity of a session that ended for idleness to its end.
fn fatal_pause(timeline: &Timeline) -> Option<(Timestamp, Timestamp)> {
    let events = timeline.events();
    let idle = Happening::Ended { reason: RejectReason::Idle };
    let end = events.iter().position(|event| event.happening == idle)?;
    let is_active =
        |happening| matches!(happening, Happening::Kept | Happening::Renewed | Happening::SignedIn);
    let last = events[..end].iter().rev().find(|event| is_active(event.happening))?;
    Some((last.at, events[end].at))
}

/// The expiry: level from one renewal to the next. What is filled down to the diagonal, on
/// which a session expires, is the time left.
fn draw_expiry(
    chart: &mut Chart<'_, '_>,
    timeline: &Timeline,
    scale: &Scale,
    key: &mut Key,
) -> Drawn {
    let mut steps: Vec<(f64, f64)> = Vec::new();
    let alive = |event: &&TimelineEvent| !matches!(event.happening, Happening::Refused { .. });
    for event in timeline.events().iter().filter(alive) {
        let (at, until) = (scale.of_instant(event.at), scale.of_instant(event.until));
        if let Some(&(_, before)) = steps.last() {
            steps.push((at, before));
        }
        steps.push((at, until));
    }
    let now = steps.iter().rev().map(|&(at, _)| (at, at));
    let left: Vec<_> = steps.iter().copied().chain(now).collect();
    chart.draw_series([Polygon::new(left, EXPIRY.mix(0.16).filled())])?;
    chart.draw_series(LineSeries::new(steps, EXPIRY.stroke_width(2)))?;
    key.line("expires, unless renewed", EXPIRY, 2);
    Ok(())
}

/// Broad, so that the expiry that has reached it is seen on it.
fn draw_cap(chart: &mut Chart<'_, '_>, scale: &Scale, key: &mut Key) -> Drawn {
    if scale.cap <= scale.height {
        let flat = [(0.0, scale.cap), (scale.width, scale.cap)];
        chart.draw_series(LineSeries::new(flat, CAP.mix(0.55).stroke_width(7)))?;
        key.line("absolute cap", CAP, 7);
    } else {
        let text = format!("The cap lies far above, at {:.0} {}.", scale.cap, scale.unit);
        let place = (scale.width * 0.02, scale.height * 0.98);
        chart.draw_series([Text::new(text, place, FONT.into_font().color(&CAP))])?;
    }
    Ok(())
}

/// Requests on the floor, those that are refused through it; renewals, warnings and the end
/// on the line.
fn draw_marks(
    chart: &mut Chart<'_, '_>,
    timeline: &Timeline,
    scale: &Scale,
    key: &mut Key,
) -> Drawn {
    let events = timeline.events();
    let place = |event: &TimelineEvent| (scale.of_instant(event.at), scale.of_instant(event.until));
    let with = |wanted: fn(Happening) -> bool| -> Vec<(f64, f64)> {
        events.iter().filter(|event| wanted(event.happening)).map(place).collect()
    };
    let is_refused = |event: &TimelineEvent| matches!(event.happening, Happening::Refused { .. });
    let tick = |event: &TimelineEvent, height: f64, colour: RGBColor, width| {
        let at = scale.of_instant(event.at);
        PathElement::new([(at, 0.0), (at, scale.height * height)], colour.stroke_width(width))
    };
    let served = events.iter().filter(|event| event.is_request() && !is_refused(event));
    chart.draw_series(served.map(|event| tick(event, 0.03, INK, 1)))?;
    key.tick("request", INK, 1);
    let refused: Vec<_> = events.iter().filter(|event| is_refused(event)).collect();
    if !refused.is_empty() {
        chart.draw_series(refused.into_iter().map(|event| tick(event, 0.12, CAP, 3)))?;
        key.tick("refused request", CAP, 3);
    }
    let renewals = with(|happening| happening == Happening::Renewed);
    chart.draw_series(renewals.into_iter().map(|at| Circle::new(at, 3, EXPIRY.filled())))?;
    key.dot("renewal", EXPIRY);
    let warnings = with(|happening| happening == Happening::Warned);
    if !warnings.is_empty() {
        let warnings = warnings.into_iter();
        chart.draw_series(warnings.map(|at| TriangleMarker::new(at, 7, WARNING.filled())))?;
        key.triangle("warning", WARNING);
    }
    let lapses = with(|happening| happening == Happening::CookieLapsed);
    if !lapses.is_empty() {
        let lapses = lapses.into_iter();
        chart.draw_series(lapses.map(|at| Circle::new(at, 6, WARNING.stroke_width(3))))?;
        key.ring("cookie dropped", WARNING);
    }
    let ends = with(|happening| matches!(happening, Happening::Ended { .. }));
    if !ends.is_empty() {
        let ends = ends.into_iter();
        chart.draw_series(ends.map(|at| Cross::new(at, 7, CAP.stroke_width(3))))?;
        key.cross("end", CAP);
    }
    Ok(())
}

fn gap_threshold(timeline: &Timeline) -> TimeDelta {
    timeline.policy().max_age() / 4
}

fn caption(timeline: &Timeline) -> String {
    let policy = crate::report::json(timeline.policy());
    let setting = |key: &str| policy[key].as_str().unwrap_or_default().to_owned();
    format!(
        "max_age {}, update_age {}, cap {}",
        setting("max_age"),
        setting("update_age"),
        setting("absolute_cap"),
    )
}

/// The same picture in words, for who cannot see it.
fn description(timeline: &Timeline) -> String {
    let count = |wanted: fn(&Happening) -> bool| {
        timeline.events().iter().filter(|event| wanted(&event.happening)).count()
    };
    let first = timeline.events().first().map(|event| event.at.to_string()).unwrap_or_default();
    let end = timeline.events().iter().find_map(|event| match event.happening {
        Happening::Ended { reason } => Some(format!("It ends at {}: {reason}.", event.at)),
        _ => None,
    });
    let lapsed = timeline.events().iter().find_map(|event| match event.happening {
        Happening::CookieLapsed => Some(format!("The browser drops the cookie at {}. ", event.at)),
        _ => None,
    });
    format!(
        "A session under {}, signed in at {first}. Requests: {}. Those that renew it: {}. Those \
         that are refused: {}. Pauses longer than a quarter of max_age: {}. Warnings: {}. Each \
         renewal moves the expiry on, up to the flat line of the absolute cap. {}{}",
        caption(timeline),
        timeline.requests(),
        count(|happening| *happening == Happening::Renewed),
        count(|happening| matches!(happening, Happening::Refused { .. })),
        timeline.gaps(gap_threshold(timeline)).count(),
        count(|happening| *happening == Happening::Warned),
        lapsed.unwrap_or_default(),
        end.unwrap_or_default(),
    )
}

/// Adds the text alternative and the colours of the dark scheme.
fn dressed(svg: &str, timeline: &Timeline) -> String {
    let Some((head, body)) = svg.split_once(">\n") else { return svg.to_owned() };
    let dark = DARK.map(|(RGBColor(red, green, blue), dark)| {
        let light = format!("#{red:02X}{green:02X}{blue:02X}");
        format!("[fill=\"{light}\"]{{fill:{dark}}}[stroke=\"{light}\"]{{stroke:{dark}}}")
    });
    let dark = dark.concat();
    format!(
        "{head} role=\"img\" aria-labelledby=\"title desc\">\n\
         <title id=\"title\">When a session expires, request by request</title>\n\
         <desc id=\"desc\">{}</desc>\n\
         <style>@media (prefers-color-scheme: dark){{{dark}}}</style>\n{body}",
        description(timeline),
    )
}

#[expect(clippy::cast_precision_loss, reason = "places on a picture")]
fn secs(duration: TimeDelta) -> f64 {
    duration.num_seconds() as f64
}
