package web

// Faults are what is wrong with a form: a sentence for each field.
type Faults map[string]string

// Add keeps the first fault of a field.
func (f Faults) Add(field, text string) {
	if f[field] == "" {
		f[field] = text
	}
}
