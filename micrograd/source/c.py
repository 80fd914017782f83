"""C as a vocabulary of the table: C99, with the functions of `<math.h>`."""

from __future__ import annotations

from micrograd.source.language import Language, Syntax
from micrograd.source.operators import operators

_MATH = (
    "acos acosh asin asinh atan atan2 atanh ceil cos cosh erf exp expm1 fdim floor fmod hypot "
    "lgamma log log10 log1p log2 nextafter pow remainder sin sinh sqrt tan tanh tgamma trunc"
).split()
_SLOW = {"tanh"}  # twice as slow as its substitute
LIBRARY = {name: name for name in _MATH if name not in _SLOW} | {
    "abs": "fabs",
    "gamma": "tgamma",
    "round": "rint",
}
"""The functions of C by the names of rows. Only these are looked up, because another name may mean
something else in C: `gamma` is the logarithm of that function in some libraries."""
# Keywords of C and C++, and names that headers declare or define.
WORDS = (
    "alignas alignof and and_eq asm atomic_cancel auto bitand bitor bool break case catch char "
    "class compl complex concept const constexpr const_cast continue copysign decltype default "
    "delete do double drem dynamic_cast else enum erfc exp2 exp10 explicit export extern false "
    "fabs finite float fma fmax fmin for fpclassify frexp friend gamma goto gradient if "
    "ilogb inline int isfinite isgreater isinf isless isnan isnormal j0 j1 jn ldexp lgamma_r "
    "llrint llround logb long lrint lround main modf mutable namespace nan nearbyint new "
    "nexttoward noexcept not not_eq nullptr operator or or_eq pow10 private protected "
    "public register reinterpret_cast remquo requires restrict return rint round scalb "
    "scalbln scalbn short signbit signed significand signgam sincos sizeof static static_assert "
    "static_cast struct switch template this thread_local throw true try typedef typeid "
    "typename typeof union unix linux unsigned using v virtual void volatile wchar_t while xor "
    "xor_eq y0 y1 yn INFINITY NAN HUGE_VAL DOMAIN OVERFLOW UNDERFLOW SING PLOSS TLOSS"
).split()

C = Language(
    "C",
    operators=operators("==", "!="),
    library=LIBRARY | {"_fmod": "fmod", "_library_pow": "pow"},
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
