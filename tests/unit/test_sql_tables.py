"""What statements after CREATE TABLE say about it, as dumps have them."""

from tests.unit.schemas import read

_DUMP = """CREATE TABLE public.a (id integer NOT NULL, b_id integer NOT NULL, n text, m integer);
CREATE TABLE public.b (id integer NOT NULL, n integer);
ALTER TABLE ONLY public.a ADD CONSTRAINT a_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.b ADD CONSTRAINT b_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.a ALTER COLUMN id SET DEFAULT nextval('a_id_seq'::regclass);
ALTER TABLE ONLY public.a ADD CONSTRAINT f FOREIGN KEY (b_id) REFERENCES public.b(id) ON DELETE CASCADE;
ALTER TABLE public.a ADD CONSTRAINT c CHECK ((m > 0));
ALTER TABLE public.a ADD COLUMN later date;
ALTER TABLE public.a OWNER TO x;
CREATE UNIQUE INDEX i ON public.a USING btree (n);
CREATE INDEX j ON public.a (n, m);
CREATE INDEX k ON public.a USING gin (n);
COMMENT ON COLUMN public.a.n IS 'its name';
COMMENT ON TABLE public.b IS 'what they are';
"""


def test_a_dump_of_postgresql() -> None:
    spec = read(_DUMP, "SQL")

    assert [field for field, _ in spec.entities[0].fields] == [
        "b -> B on delete cascade",
        'n text unique? "its name"',
        "m integer(1..)?",
        "later date?",
    ]
    assert [option for option, _ in spec.entities[0].options] == ["table: a", "index n, m"]
    assert spec.description == "B: what they are"
    assert spec.left_out == ["line 9: ALTER TABLE … OWNER TO", "line 12: CREATE INDEX k ON public.a USING gin (n)"]


def test_a_dump_of_mysql() -> None:
    spec = read(
        """CREATE TABLE `a` (`id` int(11) NOT NULL, `b_id` int(11), `n` varchar(9)) ENGINE=InnoDB;
CREATE TABLE `b` (`id` int(11) NOT NULL, `n` int);
ALTER TABLE `a` ADD PRIMARY KEY (`id`), ADD UNIQUE KEY `x` (`n`), ADD KEY `y` (`b_id`);
ALTER TABLE `a` MODIFY `id` int(11) NOT NULL AUTO_INCREMENT;
ALTER TABLE `a` ADD CONSTRAINT `z` FOREIGN KEY (`b_id`) REFERENCES `b` (`id`);""",
        "SQL",
    )

    assert [field for field, _ in spec.entities[0].fields] == ["b -> B?", "n string(9) unique?"]


def test_constraints_that_a_plan_cant_hold_are_listed() -> None:
    spec = read(
        """CREATE TABLE a (x int, y int,
  CONSTRAINT c CHECK (x < y),
  EXCLUDE USING gist (x WITH =),
  FOREIGN KEY (x, y) REFERENCES b (x, y)
);
CREATE TABLE b (x int, y int, UNIQUE (x, y));
CREATE UNIQUE INDEX i ON a (x) WHERE y > 0;""",
        "SQL",
    )

    assert spec.left_out == [
        "line 2: CHECK (x < y) of a",
        "line 3: EXCLUDE USING gist(x WITH =) of a",
        "line 4: FOREIGN KEY (x, y) of a to b, because a relation refers to one column",
        "line 7: CREATE UNIQUE INDEX i ON a (x) WHERE y > 0",
    ]
    assert [option for option, _ in spec.entities[1].options] == ["table: b", "unique x, y"]
