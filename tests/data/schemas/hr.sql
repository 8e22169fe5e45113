-- People of a company: PostgreSQL as a person writes it, on a hosted database
create table if not exists departments (
  id uuid primary key default gen_random_uuid(),
  name text not null unique check (char_length(name) >= 2),
  budget numeric(12,2) not null default 0 check (budget >= 0),
  parent_id uuid references departments (id) on delete set null
);

create table jobs (
  code varchar(10) primary key,
  title varchar(60) not null,
  min_salary integer not null,
  max_salary integer not null,
  check (min_salary <= max_salary)
);

create table profiles (
  id uuid references auth.users on delete cascade not null primary key,
  username text unique,
  avatar_url text,
  website text,
  constraint username_length check (char_length(username) >= 3)
);

create table employees (
  id bigint generated always as identity primary key,
  first_name varchar(40) not null,
  last_name varchar(40) not null,
  email varchar(120) not null unique check (email ~ '^[^@ ]+@[^@ ]+$'),
  hired_on date not null default current_date,
  "from" time,
  level smallint not null default 1 check (level in (1, 2, 3, 4)),
  kind text not null default 'full time' check (kind in ('full time', 'part time', 'intern')),
  salary numeric(10,2) check (salary > 0),
  skills text[] not null default '{}',
  settings jsonb not null default '{"theme": "dark"}'::jsonb,
  vacation interval,
  department_id uuid not null references departments on delete restrict,
  job_code varchar(10) not null references jobs (code) on update cascade,
  manager_id bigint references employees,
  created_at timestamptz not null default timezone('utc'::text, now()),
  updated_at timestamptz,
  full_name text generated always as (first_name || ' ' || last_name) stored,
  password_digest text,
  unique (first_name, last_name, department_id),
  exclude using gist (email with =)
);

create table absences (
  employee_id bigint not null references employees (id) on delete cascade,
  starts_on date not null,
  ends_on date not null,
  reason varchar(500),
  approved_by bigint references employees (id),
  primary key (employee_id, starts_on),
  constraint in_order check (ends_on >= starts_on)
);

create table offices (
  building varchar(10),
  room integer,
  seats integer not null default 4,
  primary key (building, room)
);

create table bookings (
  id serial primary key,
  building varchar(10) not null,
  room integer not null,
  employee_id bigint not null references employees,
  day date not null,
  foreign key (building, room) references offices (building, room)
);

alter table employees enable row level security;
create policy "own row" on employees for select using (true);
create index on employees (department_id, level);
create materialized view head_counts as select department_id, count(*) from employees group by 1;
comment on column employees.level is 'From 1 (junior) to 4 (principal)';
