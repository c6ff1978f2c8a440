//! Several doubly linked lists over dense objects, without an allocation per object.

/// Link of an object that is in no list.
const ABSENT: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Links {
    prev: u32,
    next: u32,
}

/// Some lists that share objects: each object is in at most one of them. The first `lists` nodes
/// are the rings' heads, object o is node `lists` + o.
#[derive(Clone, Debug)]
pub struct Lists {
    nodes: Vec<Links>,
    heads: u32,
}

impl Lists {
    /// That many empty lists.
    pub fn new(heads: u32) -> Lists {
        let mut lists = Lists { nodes: Vec::new(), heads };
        lists.clear();
        lists
    }

    /// Empties all lists, keeping their memory.
    pub fn clear(&mut self) {
        for node in &mut self.nodes {
            *node = Links { prev: ABSENT, next: ABSENT };
        }
        self.nodes.resize(self.nodes.len().max(self.heads as usize), Links { prev: 0, next: 0 });
        for head in 0..self.heads {
            self.nodes[head as usize] = Links { prev: head, next: head };
        }
    }

    /// Whether the object is in one of the lists.
    #[inline]
    pub fn contains(&self, object: u32) -> bool {
        let node = self.nodes.get(object as usize + self.heads as usize);
        node.is_some_and(|links| links.next != ABSENT)
    }

    /// Puts an object that is in no list in front.
    #[inline]
    pub fn push_front(&mut self, list: u32, object: u32) {
        let node = self.node(object);
        let first = self.nodes[list as usize].next;
        self.nodes[node as usize] = Links { prev: list, next: first };
        self.nodes[first as usize].prev = node;
        self.nodes[list as usize].next = node;
    }

    /// Takes an object out of the list it is in.
    #[inline]
    pub fn remove(&mut self, object: u32) {
        let node = (object + self.heads) as usize;
        let Links { prev, next } = self.nodes[node];
        self.nodes[prev as usize].next = next;
        self.nodes[next as usize].prev = prev;
        self.nodes[node] = Links { prev: ABSENT, next: ABSENT };
    }

    /// Moves an object that is in a list to the front of one, and says whether it was in any.
    #[inline]
    pub fn promote(&mut self, list: u32, object: u32) -> bool {
        let node = object as usize + self.heads as usize;
        let Some(&Links { prev, next }) = self.nodes.get(node) else { return false };
        if next == ABSENT {
            return false;
        }
        if prev != list {
            self.nodes[prev as usize].next = next;
            self.nodes[next as usize].prev = prev;
            let first = self.nodes[list as usize].next;
            self.nodes[node] = Links { prev: list, next: first };
            self.nodes[first as usize].prev = node as u32;
            self.nodes[list as usize].next = node as u32;
        }
        true
    }

    /// The object at the back.
    #[inline]
    pub fn last(&self, list: u32) -> Option<u32> {
        let last = self.nodes[list as usize].prev;
        (last != list).then(|| last - self.heads)
    }

    /// The node of an object, made if it is new.
    #[inline]
    fn node(&mut self, object: u32) -> u32 {
        assert!(object < ABSENT - self.heads, "object numbers leave room for the heads");
        let node = object + self.heads;
        if node as usize >= self.nodes.len() {
            let room = (node as usize + 1).max(self.nodes.len() + self.nodes.len() / 2);
            self.nodes.resize(room, Links { prev: ABSENT, next: ABSENT });
        }
        node
    }
}
