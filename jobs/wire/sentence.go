package wire

import "fmt"

// Sentence is an error whose text is shown to people as it is: a whole
// sentence, which the text of an ordinary error is not.
type Sentence string

func (s Sentence) Error() string { return string(s) }

// Sentencef is a Sentence with values in it.
func Sentencef(format string, args ...any) error { return Sentence(fmt.Sprintf(format, args...)) }
