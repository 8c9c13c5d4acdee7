package handlers

// faults are what is wrong with a form: a sentence for each field.
type faults map[string]string

// add keeps the first fault of a field.
func (f faults) add(field, text string) {
	if f[field] == "" {
		f[field] = text
	}
}
