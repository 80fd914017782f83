"""C as a vocabulary of the table: C99, with the functions of `<math.h>`."""

from __future__ import annotations

from micrograd.source.language import Language, Syntax
from micrograd.source.operators import operators

_MATH = (
    "acos acosh asin asinh atan atan2 atanh ceil cos cosh erf exp expm1 floor hypot lgamma "
    "log log10 log1p log2 pow sin sinh sqrt tan tanh trunc"
).split()
# Keywords of C and C++, and names that headers declare or define.
WORDS = (
    "alignas alignof and and_eq asm atomic_cancel auto bitand bitor bool break case catch char "
    "class compl complex concept const constexpr const_cast continue copysign decltype default "
    "delete do double drem dynamic_cast else enum erfc exp2 exp10 explicit export extern false "
    "fabs fdim finite float fma fmax fmin fmod for fpclassify frexp friend gamma goto gradient if "
    "ilogb inline int isfinite isgreater isinf isless isnan isnormal j0 j1 jn ldexp lgamma_r "
    "llrint llround logb long lrint lround main modf mutable namespace nan nearbyint new "
    "nextafter nexttoward noexcept not not_eq nullptr operator or or_eq pow10 private protected "
    "public register reinterpret_cast remainder remquo requires restrict return rint round scalb "
    "scalbln scalbn short signbit signed significand signgam sincos sizeof static static_assert "
    "static_cast struct switch template tgamma this thread_local throw true try typedef typeid "
    "typename typeof union unix linux unsigned using v virtual void volatile wchar_t while xor "
    "xor_eq y0 y1 yn INFINITY NAN HUGE_VAL DOMAIN OVERFLOW UNDERFLOW SING PLOSS TLOSS"
).split()

C = Language(
    "C",
    operators=operators("==", "!="),
    library={name: name for name in _MATH}
    | {"abs": "fabs", "round": "rint", "_fmod": "fmod", "_library_pow": "pow"},
    words=(*WORDS, *_MATH),
    syntax=Syntax(
        head="static double {name}({parameters}) {{",
        local="const double {name} = {value};",
        result="return {value};",
        end="}",
        parameter="double {name}",
        indent="    ",
        unused="(void){name};",
    ),
    special=("INFINITY", "NAN"),
    prefix="mg_",
)
