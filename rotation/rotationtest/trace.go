package rotationtest

import "fmt"

// A history is told twice: as lines that a person reads, which cost time and are left out while a world is hushed, and as
// a hash of every call, its fault, its machines, its answer and its time, which tells whether two histories are the same.

// FNV-1a, 64 bits.
const (
	hashBegin = 14695981039346656037
	hashPrime = 1099511628211
)

// Hash is a hash of everything that happened so far. The same choices give the same hash.
func (w *World) Hash() uint64 { return w.hash }

// mix adds a call, its fault and the time to the hash.
func (w *World) mix(texts ...string) {
	h := w.hash
	for _, text := range texts {
		for i := range len(text) {
			h = (h ^ uint64(text[i])) * hashPrime
		}
		h = (h ^ 0xff) * hashPrime // "a", "b" is not "ab"
	}
	w.hash = (h ^ uint64(w.now.UnixNano())) * hashPrime
}

func (w *World) trace(format string, args ...any) {
	if w.hushed {
		return
	}
	w.Trace = append(w.Trace, w.now.Format("15:04:05 ")+fmt.Sprintf(format, args...))
}

// tell adds a call to the trace, with what befell it and how it ended.
func (w *World) tell(site string, f Fault, err error) {
	about := w.inv.about
	if w.inv.about = ""; w.hushed {
		return
	}
	line := w.inv.name + ": " + site + about
	if f != NoFault {
		line += " [" + string(f) + "]"
	}
	if err != nil {
		line += " -> " + err.Error()
	}
	w.trace("%s", line)
}

// on notes which machine a call is about.
func (w *World) on(id string) {
	if !w.hushed {
		w.inv.about += " " + id
	}
}
