"""What was measured: for each measure and side the values of all rounds, in order."""
import collections
import statistics


class Samples:
    def __init__(self):
        self.values = collections.defaultdict(lambda: collections.defaultdict(list))
        self.faults = collections.defaultdict(list)  # by measure: what should not be

    def add(self, measure, side, value):
        self.values[measure][side].append(value)

    def fault(self, measure, text):
        self.faults[measure].append(text)

    def of(self, measure, side):
        return self.values.get(measure, {}).get(side, [])

    def median(self, measure, side):
        values = self.of(measure, side)
        return statistics.median(values) if values else None

    def ratios(self, above, below):
        """Round by round, for neighbours in time are the best to compare; where the two
        have not as many rounds, against the median."""
        first, second = self.of(*above), self.of(*below)
        if not first or not second:
            return []
        if len(first) != len(second):
            second = [statistics.median(second)] * len(first)
        return [a / b if b else float("inf") for a, b in zip(first, second)]

    def as_json(self):
        return {measure: {side: [round(value, 6) for value in values]
                          for side, values in sides.items()}
                for measure, sides in self.values.items()}
