package rotation

// ordinals number keys in the order in which they come. The zero value is ready. There mostly are few: those are gone
// through, the latest first, and a map is made only for more.
type ordinals[K comparable] struct {
	keys []K
	many map[K]int // of all keys, once there are more than fewKeys
}

const fewKeys = 16

// reset forgets the keys, and keeps their room.
func (o *ordinals[K]) reset() { o.keys, o.many = o.keys[:0], nil }

// of returns the number of a key, and whether it is new.
func (o *ordinals[K]) of(key K) (n int, fresh bool) {
	if o.many != nil {
		if n, known := o.many[key]; known {
			return n, false
		}
	} else {
		for n := len(o.keys) - 1; n >= 0; n-- {
			if o.keys[n] == key {
				return n, false
			}
		}
	}
	n = len(o.keys)
	o.keys = append(o.keys, key)
	switch {
	case o.many != nil:
		o.many[key] = n
	case len(o.keys) > fewKeys:
		o.many = make(map[K]int, 2*len(o.keys))
		for i, k := range o.keys {
			o.many[k] = i
		}
	}
	return n, true
}
