"""What the records of the PhysioNet/CinC Challenge 2012 measure, with the values that can be.

Five descriptors of the stay and 37 series, `Weight` among the latter: it is noted at admission and may be noted again.
Reference: Silva et al. 2012, Computing in Cardiology 39, 245–248; https://physionet.org/content/challenge-2012/1.0.0/.
"""

from __future__ import annotations

from pipeline.records.base import Parameter


def _series(name: str, long_name: str, units: str, low: float, high: float) -> Parameter:
    return Parameter(name=name, long_name=long_name, units=units, low=low, high=high)


def _skewed(name: str, long_name: str, units: str, low: float, high: float) -> Parameter:
    return Parameter(name=name, long_name=long_name, units=units, low=low, high=high, logarithmic=True)


def _described(
    name: str, long_name: str, units: str, low: float, high: float, categories: tuple[int, ...] = ()
) -> Parameter:
    return Parameter(
        name=name, long_name=long_name, units=units, low=low, high=high, static=True, categories=categories
    )


IDENTIFIER = "RecordID"
LAST_MINUTE = 48 * 60
PARAMETERS: tuple[Parameter, ...] = (
    _described("Age", "age", "a", 0, 120),
    _described("Gender", "gender, 0 female and 1 male", "1", 0, 1, (0, 1)),
    _described("Height", "height", "cm", 100, 250),
    _described(
        "ICUType",
        "unit, 1 coronary care, 2 cardiac surgery recovery, 3 medical, 4 surgical",
        "1",
        1,
        4,
        (1, 2, 3, 4),
    ),
    _skewed("ALP", "alkaline phosphatase", "U L-1", 1, 5000),
    _skewed("ALT", "alanine transaminase", "U L-1", 0, 30000),
    _skewed("AST", "aspartate transaminase", "U L-1", 0, 40000),
    _series("Albumin", "albumin", "g dL-1", 0.3, 8),
    _skewed("BUN", "blood urea nitrogen", "mg dL-1", 0, 400),
    _skewed("Bilirubin", "bilirubin", "mg dL-1", 0, 100),
    _skewed("Cholesterol", "cholesterol", "mg dL-1", 10, 1000),
    _skewed("Creatinine", "serum creatinine", "mg dL-1", 0, 50),
    _series("DiasABP", "invasive diastolic arterial blood pressure", "mmHg", 10, 200),
    _series("FiO2", "fractional inspired oxygen", "1", 0.15, 1),
    _series("GCS", "Glasgow coma score", "1", 3, 15),
    _skewed("Glucose", "serum glucose", "mg dL-1", 5, 2000),
    _series("HCO3", "serum bicarbonate", "mmol L-1", 2, 80),
    _series("HCT", "haematocrit", "%", 5, 80),
    _series("HR", "heart rate", "min-1", 10, 300),
    _series("K", "serum potassium", "mmol L-1", 1, 15),
    _skewed("Lactate", "lactate", "mmol L-1", 0.05, 40),
    _series("MAP", "invasive mean arterial blood pressure", "mmHg", 15, 250),
    _series("MechVent", "mechanical ventilation", "1", 0, 1),
    _series("Mg", "serum magnesium", "mmol L-1", 0.1, 15),
    _series("NIDiasABP", "non-invasive diastolic arterial blood pressure", "mmHg", 10, 200),
    _series("NIMAP", "non-invasive mean arterial blood pressure", "mmHg", 15, 250),
    _series("NISysABP", "non-invasive systolic arterial blood pressure", "mmHg", 20, 300),
    _series("Na", "serum sodium", "mmol L-1", 90, 200),
    _skewed("PaCO2", "partial pressure of arterial carbon dioxide", "mmHg", 5, 150),
    _skewed("PaO2", "partial pressure of arterial oxygen", "mmHg", 15, 700),
    _skewed("Platelets", "platelets", "1e9 L-1", 1, 3000),
    _series("RespRate", "respiration rate", "min-1", 1, 100),
    _series("SaO2", "oxygen saturation in haemoglobin", "%", 20, 100),
    _series("SysABP", "invasive systolic arterial blood pressure", "mmHg", 20, 300),
    _series("Temp", "temperature", "degree_Celsius", 25, 45),
    _skewed("TroponinI", "troponin-I", "ug L-1", 0, 200),
    _skewed("TroponinT", "troponin-T", "ug L-1", 0, 100),
    Parameter(
        name="Urine", long_name="urine output", units="mL", low=0, high=5000, logarithmic=True, total=True
    ),
    _skewed("WBC", "white blood cells", "1e9 L-1", 0, 500),
    _series("Weight", "weight", "kg", 20, 300),
    _series("pH", "arterial pH", "1", 6.3, 8),
)
