"""Write houses.csv, a table with gaps and categories: python examples/houses.py && descend race houses.csv --target price"""

import csv
import random

random.seed(46)
PREMIUM = {"north": 0.0, "old town": 60.0, "harbour": 90.0, "hills": 35.0}

with open("houses.csv", "w", newline="", encoding="utf-8") as file:
    table = csv.writer(file)
    table.writerow(["id", "area", "rooms", "district", "built", "garden", "price"])
    for number in range(600):
        area = random.uniform(35, 220)
        rooms = max(1, round(area / 28 + random.gauss(0, 0.8)))
        district = random.choice(list(PREMIUM))
        built = random.randint(1900, 2024)
        garden = random.random() < 0.4
        price = 40 + 2.1 * area + 12 * rooms + PREMIUM[district] + 0.4 * (built - 1960) + 25 * garden
        price += random.gauss(0, 18)
        table.writerow(
            [
                number,
                "" if random.random() < 0.03 else f"{area:.1f}",
                rooms,
                "" if random.random() < 0.02 else district,
                built,
                "yes" if garden else "no",
                f"{price:.1f}",
            ]
        )
