package web

// Faults are the faults of a form: a sentence for each field.
type Faults map[string]string

// Add keeps the first fault of a field.
func (f Faults) Add(field, text string) {
	if f[field] == "" {
		f[field] = text
	}
}

// ErrorLine is one line of the summary above a refused form.
type ErrorLine struct{ Field, Text string }

// ErrorLines puts the faults of a form in the order of its fields.
func ErrorLines(f Faults, fields ...string) []ErrorLine {
	var lines []ErrorLine
	for i := 0; i+1 < len(fields); i += 2 {
		if text := f[fields[i]]; text != "" {
			lines = append(lines, ErrorLine{fields[i], fields[i+1] + ": " + text})
		}
	}
	return lines
}
