//! Parts of the picture to draw on.

use std::io;

use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, DrawingAreaErrorKind, SVGBackend};

/// A part of the picture, with pixels as coordinates.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

pub type Drawn<T> = Result<T, DrawingAreaErrorKind<io::Error>>;
