"""Derivatives are as short as those that textbooks print."""

import math

import pytest

from micrograd.engine.functions import (
    exp,
    log,
    ndtr,
    sqrt,
)
from tests.derivation.common import board, last_symbols, sum_of_squares, values


def r_squared():
    y, p = values(y_1=1.0, y_2=2.0, y_3=4.0), values(p_1=1.2, p_2=1.9, p_3=3.5)
    m = sum(y) / 3
    r = sum_of_squares(a - b for a, b in zip(y, p, strict=True))
    t = sum_of_squares(a - m for a in y)
    return 1 - r / t, y[0], {"m": m, "R": r, "T": t}


def heron():
    a, b, c = values(a=3.0, b=4.0, c=5.5)
    s = (a + b + c) / 2
    return sqrt(s * (s - a) * (s - b) * (s - c)), a, {}


def variance_with_a_mean_for_each_term():
    x = values(x_1=1.0, x_2=2.0, x_3=4.0, x_4=0.5)
    return sum_of_squares(each - sum(x) / 4 for each in x) / 4, x[0], {}


def correlation():
    x, y = values(x_1=1.0, x_2=2.0, x_3=4.0), values(y_1=1.5, y_2=1.0, y_3=4.0)
    m, k = sum(x) / 3, sum(y) / 3
    s = sum((a - m) * (b - k) for a, b in zip(x, y, strict=True))
    t, u = sum_of_squares(a - m for a in x), sum_of_squares(b - k for b in y)
    return s / sqrt(t * u), x[0], {"m": m, "k": k, "S": s, "T": t, "U": u}


def info_nce():
    *s, t = values(s_1=0.2, s_2=0.3, s_3=0.5, tau=0.1)
    return -log(exp(s[0] / t) / sum(exp(each / t) for each in s)), s[0], {}


def dice_loss():
    p, y = values(p_1=0.2, p_2=0.3), values(y_1=1.0, y_2=0.0)
    above = sum(a * b for a, b in zip(p, y, strict=True))
    return 1 - 2 * above / (sum(p) + sum(y)), p[0], {}


def mahalanobis():
    x, y, rho = values(x=1.2, y=0.4, rho=0.3)
    return sqrt((x**2 - 2 * rho * x * y + y**2) / (1 - rho**2)), rho, {}


def kinetic_energy():
    m, v, c = values(m=1.0, v=0.5, c=1.0)
    return m * c**2 * (1 / sqrt(1 - v**2 / c**2) - 1), v, {}


def divergence_from_a_normal_distribution():
    mu, v = values(mu=0.1, v=0.8)
    return -0.5 * (1 + v - mu**2 - exp(v)), v, {}


def softplus_by_hand():
    w, x, b = values(w=0.8, x=0.1, b=0.3)
    return log(1 + exp(w * x + b)), w, {}


def softplus_beside_a_standard_deviation():
    sigma, x = values(sigma=0.8, x=0.1)
    return log(1 + exp(sigma * x)), x, {}


def option():
    S, K, r, s, T = values(S=100.0, K=95.0, r=0.03, s=0.2, T=0.5)
    d = (log(S / K) + (r + s**2 / 2) * T) / (s * sqrt(T))
    e = d - s * sqrt(T)
    price = S * ndtr(d) - K * exp(-r * T) * ndtr(e)
    return price, {"S": S, "s": s, "r": r}, {"d_1": d, "d_2": e}


def delta():
    price, given, names = option()
    return price, given["S"], names


def vega():
    price, given, names = option()
    return price, given["s"], names


def rho():
    price, given, names = option()
    return price, given["r"], names


def bachelier():
    F, K, s, T = values(F=1.0, K=0.95, s=0.2, T=0.5)
    d = (F - K) / (s * sqrt(T))
    return (F - K) * ndtr(d) + s * sqrt(T) * exp(-(d**2) / 2) / math.sqrt(2 * math.pi), F, {"d": d}


def fermi():
    E, m, k, T = values(E=1.0, m=0.8, k=1.0, T=0.5)
    return 1 / (exp((E - m) / (k * T)) + 1), E, {}


def rating():
    a, b = values(a=1600.0, b=1500.0)
    return 1 / (1 + 10 ** ((b - a) / 400)), a, {}


def kalman():
    P, R = values(P=0.5, R=0.2)
    K = P / (P + R)
    return (1 - K) * P, P, {"K": K}


def runge_kutta():
    a, y, h = values(a=0.5, y=1.0, h=0.1)
    k = -a * y
    m = -a * (y + h * k / 2)
    n = -a * (y + h * m / 2)
    p = -a * (y + h * n)
    names = {"k_1": k, "k_2": m, "k_3": n, "k_4": p}
    return y + h * (k + 2 * m + 2 * n + p) / 6, y, names


def batch_normalisation():
    x, (g, b, e) = values(x_1=1.0, x_2=2.0, x_3=4.0), values(g=1.0, b=0.5, e=0.01)
    m = sum(x) / 3
    v = sum_of_squares(each - m for each in x) / 3
    return g * (x[0] - m) / sqrt(v + e) + b, x[1], {"m": m, "v": v}


def attention_written_as_one_quotient():
    q, *k = values(q=0.5, k_1=0.2, k_2=0.4, k_3=0.1, k_4=0.7)
    v = values(v_1=1.0, v_2=2.0, v_3=0.5, v_4=0.9)
    above = sum(exp(q * a) * b for a, b in zip(k, v, strict=True))
    return above / sum(exp(q * a) for a in k), q, {}


def speed_of_molecules():
    v, a = values(v=1.0, a=0.8)
    return math.sqrt(2 / math.pi) * v**2 * exp(-(v**2) / (2 * a**2)) / a**3, v, {}


def attention_of_two_keys():
    q, k, m, v, w = values(q=0.1, k_1=0.7, k_2=0.9, v_1=0.3, v_2=0.5)
    u, r = exp(q * k), exp(q * m)
    a, b = u / (u + r), r / (u + r)
    return a * v + b * w, q, {"a_1": a, "a_2": b}


TEXTBOOK = {
    r_squared: "2(R(y₁ − m)/T − y₁ + p₁)/T",
    heron: "a(b² + c² − a²)/(8L)",
    variance_with_a_mean_for_each_term: "(x₁ − v₁)/2",
    correlation: "(y₁ − k)/√(T·U) − L(x₁ − m)/T",
    info_nce: "(p₁ − 1)/τ",
    dice_loss: "(1 − L − 2y₁)/(p₁ + p₂ + y₁ + y₂)",
    mahalanobis: "(L·ρ − x·y/L)/(1 − ρ²)",
    kinetic_energy: "m·v/(1 − v²/c²)^(3/2)",
    divergence_from_a_normal_distribution: "0.5(exp(v) − 1)",
    softplus_by_hand: "x·σ(w·x + b)",
    softplus_beside_a_standard_deviation: "σ·exp(σ·x)/(1 + exp(σ·x))",
    delta: "Φ(d₁)",
    vega: "S·√T·exp(−d₁²/2)/√(2π)",
    rho: "K·T·Φ(d₂)·exp(−r·T)",
    bachelier: "Φ(d)",
    fermi: "−L(1 − L)/(k·T)",
    rating: "L(1 − L)·ln(10)/400",
    kalman: "(1 − K)²",
    runge_kutta: "1 − h·a + h²·a²/2 − h³·a³/6 + h⁴·a⁴/24",
    batch_normalisation: "−g(1 + (x₁ − m)(x₂ − m)/(v + e))/(3√(v + e))",
    attention_written_as_one_quotient: "Σᵢ₌₁⁴ kᵢ(vᵢ − L)·exp(q·kᵢ)/u₁",
    speed_of_molecules: "√(2/π)·v(2 − v²/a²)·exp(−v²/(2a²))/a³",
    attention_of_two_keys: "a₁a₂(v₁ − v₂)(k₁ − k₂)",
}


@pytest.mark.parametrize("make", TEXTBOOK)
def test_the_derivative_is_as_short_as_in_a_textbook(make):
    output, wrt, names = make()
    assert last_symbols(output, wrt, names={**names, "L": output}) == TEXTBOOK[make]


def test_the_derivative_of_a_product_of_differences_is_not_multiplied_out():
    x, a, b, c, d = values(x=1.5, a=0.7, b=2.5, c=-1.25, d=3.0)
    derived = board((x - a) * (x - b) * (x - c) * (x - d), x, numbers=False, width=120)
    factors = {"a": "(x − a)", "b": "(x − b)", "c": "(x − c)", "d": "(x − d)"}
    without = ["".join(shown for name, shown in factors.items() if name != left) for left in "abcd"]
    assert derived.equations().endswith(f"∂v₁/∂x = {' + '.join(without)}")
