//! A timeline as SVG: readable in light and dark, with a text alternative.

use chrono::TimeDelta;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use session_policy::Timestamp;
use session_policy::review::{Happening, Timeline, TimelineEvent};

const SIZE: (u32, u32) = (960, 540);

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

fn plot(
    svg: &mut String,
    timeline: &Timeline,
    scale: &Scale,
) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&PAPER)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(caption(timeline), ("sans-serif", 17).into_font().color(&INK))
        .margin(16)
        .x_label_area_size(46)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..scale.width, 0.0..scale.height)?;
    chart
        .configure_mesh()
        .x_desc(format!("time since the sign-in at {} ({})", scale.start, scale.unit))
        .y_desc(format!("the session expires at ({} since the sign-in)", scale.unit))
        .label_style(("sans-serif", 14).into_font().color(&INK))
        .axis_desc_style(("sans-serif", 15).into_font().color(&INK))
        .axis_style(INK)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .draw()?;
    draw_gaps(&mut chart, timeline, scale)?;
    draw_expiry(&mut chart, timeline, scale)?;
    draw_cap(&mut chart, scale)?;
    draw_marks(&mut chart, timeline, scale)?;
    chart
        .configure_series_labels()
        // In the corner under the diagonal, clear of the requests on the floor.
        .position(SeriesLabelPosition::Coordinate(606, 262))
        .background_style(PAPER)
        .border_style(GRID)
        .label_font(("sans-serif", 14).into_font().color(&INK))
        .draw()?;
    root.present()?;
    Ok(())
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Pauses of more than a quarter of `max_age`, as bars on the floor.
fn draw_gaps(chart: &mut Chart<'_, '_>, timeline: &Timeline, scale: &Scale) -> Drawn {
    let bars = timeline.gaps(gap_threshold(timeline)).map(|(from, to)| {
        let (from, to) = (scale.of_instant(from), scale.of_instant(to));
        Rectangle::new([(from, 0.0), (to, scale.height * 0.025)], GAP.mix(0.45).filled())
    });
    chart
        .draw_series(bars)?
        .label("idle for more than max_age / 4")
        .legend(|(x, y)| Rectangle::new([(x, y - 6), (x + 18, y + 6)], GAP.mix(0.45).filled()));
    Ok(())
}

/// The expiry: level from one renewal to the next. What is filled down to the
/// diagonal, on which a session expires, is the time left.
fn draw_expiry(chart: &mut Chart<'_, '_>, timeline: &Timeline, scale: &Scale) -> Drawn {
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
    chart
        .draw_series(LineSeries::new(steps, EXPIRY.stroke_width(2)))?
        .label("expires, unless renewed")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], EXPIRY.stroke_width(2)));
    Ok(())
}

fn draw_cap(chart: &mut Chart<'_, '_>, scale: &Scale) -> Drawn {
    if scale.cap <= scale.height {
        chart
            .draw_series(LineSeries::new(
                [(0.0, scale.cap), (scale.width, scale.cap)],
                CAP.stroke_width(2),
            ))?
            .label("absolute cap")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], CAP.stroke_width(2)));
    } else {
        let text = format!("The absolute cap lies far above, at {:.0} {}.", scale.cap, scale.unit);
        let style = ("sans-serif", 14).into_font().color(&CAP);
        let place = (scale.width * 0.02, scale.height * 0.97);
        chart.draw_series([Text::new(text, place, style)])?;
    }
    Ok(())
}

/// Requests on the floor, renewals, warnings and the end on the line.
fn draw_marks(chart: &mut Chart<'_, '_>, timeline: &Timeline, scale: &Scale) -> Drawn {
    let events = timeline.events();
    let place = |event: &TimelineEvent| (scale.of_instant(event.at), scale.of_instant(event.until));
    let with = |wanted: fn(Happening) -> bool| {
        events.iter().filter(move |event| wanted(event.happening)).map(place)
    };
    let requests = events.iter().filter(|event| event.is_request());
    let height = scale.height * 0.025;
    chart
        .draw_series(requests.map(|event| {
            let at = scale.of_instant(event.at);
            PathElement::new([(at, 0.0), (at, height)], INK.stroke_width(1))
        }))?
        .label("request")
        .legend(|(x, y)| PathElement::new([(x + 9, y - 6), (x + 9, y + 6)], INK.stroke_width(1)));
    chart
        .draw_series(
            with(|happening| happening == Happening::Renewed)
                .map(|at| Circle::new(at, 3, EXPIRY.filled())),
        )?
        .label("renewal")
        .legend(|(x, y)| Circle::new((x + 9, y), 3, EXPIRY.filled()));
    if events.iter().any(|event| event.happening == Happening::Warned) {
        chart
            .draw_series(
                with(|happening| happening == Happening::Warned)
                    .map(|at| TriangleMarker::new(at, 7, WARNING.filled())),
            )?
            .label("warning")
            .legend(|(x, y)| TriangleMarker::new((x + 9, y), 7, WARNING.filled()));
    }
    if events.iter().any(|event| event.happening == Happening::CookieLapsed) {
        chart
            .draw_series(
                with(|happening| happening == Happening::CookieLapsed)
                    .map(|at| Circle::new(at, 6, WARNING.stroke_width(3))),
            )?
            .label("cookie dropped")
            .legend(|(x, y)| Circle::new((x + 9, y), 6, WARNING.stroke_width(3)));
    }
    chart
        .draw_series(
            with(|happening| matches!(happening, Happening::Ended { .. }))
                .map(|at| Cross::new(at, 7, CAP.stroke_width(3))),
        )?
        .label("end")
        .legend(|(x, y)| Cross::new((x + 9, y), 6, CAP.stroke_width(3)));
    Ok(())
}

fn gap_threshold(timeline: &Timeline) -> TimeDelta {
    timeline.policy().max_age() / 4
}

fn caption(timeline: &Timeline) -> String {
    let policy = crate::report::json(timeline.policy());
    let setting = |key: &str| policy[key].as_str().unwrap_or_default().to_owned();
    format!(
        "max_age {}, update_age {}, absolute_cap {}",
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
